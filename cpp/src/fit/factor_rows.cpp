#include "dynaplan/fit/factor_rows.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "dynaplan/core/error.hpp"
#include "dynaplan/core/parallel.hpp"
#include "dynaplan/core/workspace.hpp"
#include "dynaplan/fit/gram.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr Index kBlockRows = 256;              // with 40 columns 80 KiB: stays in a second-level cache
constexpr Index kChunkRows = 64 * kBlockRows;  // a thread's share; sums of chunks are added in order
constexpr Index kSampleRowsPerColumn = 8;
// Below this squared ratio of a pivot to its column, digits are lost (more than one) or nothing is left.
constexpr double kSoundPivot = 1e-2;
constexpr double kUsefulPivot = 1e-10;

// Each block is reduced together with the factor so far, which may cost more than the block does.
Index block_rows(const RegressionDesign& design) { return std::max(kBlockRows, design.columns()); }

Index padded_columns(const RegressionDesign& design) {
  return (design.columns() + kGramTile - 1) / kGramTile * kGramTile;
}

// A chunk of rows at a time, in blocks: what every pass over the data shares.
class ChunkReader {
 public:
  ChunkReader(const RegressionDesign& design, const RegressionData& data)
      : design_(design), data_(data), inputs_seen_(design.features.inputs()) {
    const Index lanes = std::min(padded_lanes<double>(block_rows(design)), padded_lanes<double>(data.count));
    workspace_.reserve(Workspace::bytes<double>(padded_columns(design) * lanes));
    block_ = workspace_.take_block<double>(padded_columns(design), lanes);
    for (Index i = design.columns(); i < block_.dim; ++i) std::fill_n(block_.row(i), lanes, 0.0);
  }

  template <class Use>
  void read(Index chunk, const Use& use) {
    const Index end = std::min(data_.count, (chunk + 1) * kChunkRows);
    for (Index first = chunk * kChunkRows; first < end; first += block_rows(design_)) {
      const Index count = std::min(block_rows(design_), end - first);
      design_.pack(data_, first, 1, count, block_, inputs_seen_);
      use(block_, count);
    }
  }

  const InputSummary& inputs_seen() const { return inputs_seen_; }

 private:
  const RegressionDesign& design_;
  const RegressionData& data_;
  InputSummary inputs_seen_;
  Workspace workspace_;
  Block<double> block_;
};

TriangularFactor factor_by_householder(const RegressionDesign& design, const RegressionData& data, int threads,
                                       InputSummary& seen, const Interrupt* interrupt) {
  const Index chunks = (data.count + kChunkRows - 1) / kChunkRows;
  std::vector<TriangularFactor> factors(static_cast<std::size_t>(chunks), TriangularFactor(design.columns()));
  std::vector<InputSummary> summaries(static_cast<std::size_t>(chunks), seen);
  const auto factor_chunk = [&](Index chunk, int /*thread*/) {
    ChunkReader reader(design, data);
    reader.read(chunk, [&](ConstBlock<double> block, Index count) {
      factors[static_cast<std::size_t>(chunk)].append(block.rows(0, design.columns()), static_cast<double>(count));
    });
    summaries[static_cast<std::size_t>(chunk)].include(reader.inputs_seen());
  };
  parallel_for(chunks, threads, factor_chunk, interrupt);
  if (interrupt != nullptr && interrupt->requested()) throw Error("interrupted");
  for (std::size_t chunk = 1; chunk < factors.size(); ++chunk) factors.front().merge(factors[chunk]);
  for (const InputSummary& part : summaries) seen.include(part);
  return {factors.front().upper(), data.counted_rows()};
}

// The factor of evenly spaced rows, with columns that do not vary among them given a pivot of their own size: any
// nonsingular triangle serves as a preconditioner.
Eigen::MatrixXd sample_factor(const RegressionDesign& design, const RegressionData& data) {
  const Index rows = kSampleRowsPerColumn * design.columns();
  Eigen::MatrixXd sample(rows, design.columns());
  InputSummary unused(design.features.inputs());
  const Block<double> block{sample.data(), design.columns(), rows, rows};
  design.pack(data, 0, data.count / rows, rows, block, unused);
  TriangularFactor factor(design.columns());
  factor.append(block, static_cast<double>(rows));
  Eigen::MatrixXd upper = factor.upper();
  for (Index j = 0; j < upper.cols(); ++j) {
    const double size = length_of(upper.col(j));
    if (!(std::abs(upper(j, j)) > 1e-12 * size)) upper(j, j) = size > 0.0 ? size : 1.0;
  }
  return upper;
}

// Z^T Z of all rows, chunk sums added in their order.
Eigen::MatrixXd preconditioned_gram(const RegressionDesign& design, const RegressionData& data,
                                    const Eigen::MatrixXd& preconditioner, int threads, InputSummary& seen,
                                    const Interrupt* interrupt) {
  const Index chunks = (data.count + kChunkRows - 1) / kChunkRows;
  std::vector<Eigen::MatrixXd> grams(static_cast<std::size_t>(chunks));
  std::vector<InputSummary> summaries(static_cast<std::size_t>(chunks), seen);
  const auto sum_chunk = [&](Index chunk, int /*thread*/) {
    ChunkReader reader(design, data);
    GramSum sum(padded_columns(design));
    reader.read(chunk, [&](Block<double> block, Index /*count*/) {
      solve_rows(preconditioner, block);
      sum.add(block);
    });
    grams[static_cast<std::size_t>(chunk)] = sum.upper(design.columns());
    summaries[static_cast<std::size_t>(chunk)].include(reader.inputs_seen());
  };
  parallel_for(chunks, threads, sum_chunk, interrupt);
  if (interrupt != nullptr && interrupt->requested()) throw Error("interrupted");
  for (std::size_t chunk = 1; chunk < grams.size(); ++chunk) grams.front() += grams[chunk];
  for (const InputSummary& part : summaries) seen.include(part);
  return grams.front();
}

// Cholesky factor of a Gram matrix (upper triangle given) and its smallest pivot, relative to its column, among the
// feature columns. Pivots lost to rounding become rows of zeros.
struct Cholesky {
  Eigen::MatrixXd upper;
  double smallest_pivot = 1.0;
};

Cholesky factor_gram(Eigen::MatrixXd gram, Index feature_columns) {
  const Index dim = gram.cols();
  Cholesky result{Eigen::MatrixXd::Zero(dim, dim), 1.0};
  const Eigen::VectorXd size = gram.diagonal();
  for (Index j = 0; j < dim; ++j) {
    const double pivot = gram(j, j);
    if (j < feature_columns && size(j) > 0.0) {
      result.smallest_pivot = std::isfinite(pivot) ? std::min(result.smallest_pivot, pivot / size(j)) : 0.0;
    }
    if (!(pivot > 0.0)) continue;
    result.upper.row(j).tail(dim - j) = gram.row(j).tail(dim - j) / std::sqrt(pivot);
    const Eigen::RowVectorXd row = result.upper.row(j).tail(dim - j);
    for (Index c = j + 1; c < dim; ++c)
      gram.col(c).segment(j + 1, c - j) -= row(c - j) * row.segment(1, c - j).transpose();
  }
  return result;
}

}  // namespace

TriangularFactor factor_rows(const RegressionDesign& design, const RegressionData& data, int threads,
                             InputSummary& seen, const Interrupt* interrupt) {
  if (data.count <= 2 * kSampleRowsPerColumn * design.columns()) {
    return factor_by_householder(design, data, threads, seen, interrupt);
  }
  Eigen::MatrixXd preconditioner = sample_factor(design, data);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Cholesky cholesky = factor_gram(preconditioned_gram(design, data, preconditioner, threads, seen, interrupt),
                                          design.feature_columns());
    if (!(cholesky.smallest_pivot >= kUsefulPivot)) break;
    preconditioner = cholesky.upper.triangularView<Eigen::Upper>() * preconditioner;
    // What hardly varies in the sample, and does elsewhere, may have left nothing to go by.
    if (!preconditioner.allFinite()) break;
    if (cholesky.smallest_pivot >= kSoundPivot) return {preconditioner, data.counted_rows()};
  }
  return factor_by_householder(design, data, threads, seen, interrupt);
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
