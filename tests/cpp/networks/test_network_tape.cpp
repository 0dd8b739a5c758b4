#include "dynaplan/networks/network_tape.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "dynaplan/core/random.hpp"

using namespace dynaplan;

namespace {

using Vector = Numbers<double>;

constexpr Index kSamples = 100;  // a whole chunk and a part of one

Vector normals(Index count, std::uint32_t call) {
  const Index lanes = padded_lanes<double>(count);
  Vector numbers(4 * lanes);
  fill_normal<double>({7, call, 0}, Purpose::kTraining, 0, 0, {numbers.data(), 4, lanes, lanes});
  return numbers.head(count);
}

// Weights and biases at random, the padding 0.
Vector parameters_of(const ParameterLayout<double>& layout) {
  const Vector numbers = normals(layout.size(), 1);
  Vector parameters = Vector::Zero(layout.size());
  for (const LayerPlace& layer : layout.layers()) {
    for (Index i = 0; i < layer.outputs; ++i) {
      const Index row = layer.weights + i * layer.stride;
      parameters.segment(row, layer.inputs) = 0.5 * numbers.segment(row, layer.inputs);
    }
    parameters.segment(layer.bias, layer.outputs) = 0.3 * numbers.segment(layer.bias, layer.outputs);
  }
  return parameters;
}

// A network on fixed samples; what is differentiated is the sum of its outputs, each times a fixed number.
struct Problem {
  Problem(const std::vector<Index>& sizes, Activation activation, SingleOutput single_output)
      : layout(sizes),
        tape(layout, activation, kSamples, single_output),
        parameters(parameters_of(layout)),
        inputs(normals(kSamples * sizes.front(), 2)),
        factors(normals(kSamples * sizes.back(), 3)) {}

  // `fill` and `transpose` are the two ways for samples to come: in lanes, or in rows.
  template <class Fill, class Transpose>
  Vector gradient(const std::vector<Chunk>& chunks, const Fill& fill, const Transpose& transpose) {
    Vector out = Vector::Zero(layout.size());
    for (const Chunk& chunk : chunks) {
      fill(chunk);
      tape.forward_for_backward(parameters.data(), chunk);
      fill_factors(chunk);
      tape.backward(parameters.data(), chunk);
      transpose(chunk);
    }
    tape.weight_gradient(kSamples, out.data());
    return out;
  }

  Vector gradient_from_lanes(const std::vector<Chunk>& chunks) {
    return gradient(
        chunks, [&](const Chunk& chunk) { fill_lanes(chunk); },
        [&](const Chunk& chunk) { tape.transpose_inputs(chunk); });
  }

  Vector gradient_from_rows(const std::vector<Chunk>& chunks) {
    const Index dim = layout.layers().front().inputs;
    for (Index k = 0; k < kSamples; ++k) {
      std::fill_n(tape.input_row(k), layout.layers().front().stride, 0.0);
      for (Index i = 0; i < dim; ++i) tape.input_row(k)[i] = inputs(k * dim + i);
    }
    return gradient(
        chunks, [&](const Chunk& chunk) { tape.load_input_rows(chunk); },
        [&](const Chunk& chunk) { tape.transpose_hidden_inputs(chunk); });
  }

  double objective() {
    const Chunk all = whole_chunk<double>(kSamples);
    fill_lanes(all);
    tape.forward(parameters.data(), all);
    double sum = 0.0;
    for (Index i = 0; i < tape.outputs(all).dim; ++i) {
      for (Index k = 0; k < kSamples; ++k) sum += factor(k, i) * tape.outputs(all).row(i)[k];
    }
    return sum;
  }

  double factor(Index sample, Index output) const { return factors(sample * layout.layers().back().outputs + output); }

  void fill_lanes(const Chunk& chunk) {
    const Block<double> block = tape.inputs(chunk);
    for (Index i = 0; i < block.dim; ++i) {
      for (Index k = 0; k < block.lanes; ++k) {
        block.row(i)[k] = inputs((chunk.first + std::min(k, chunk.count - 1)) * block.dim + i);
      }
    }
  }

  void fill_factors(const Chunk& chunk) {
    const Block<double> block = tape.output_gradient(chunk);
    for (Index i = 0; i < block.dim; ++i) {
      for (Index k = 0; k < block.lanes; ++k) block.row(i)[k] = k < chunk.count ? factor(chunk.first + k, i) : 0.0;
    }
  }

  ParameterLayout<double> layout;
  NetworkTape<double> tape;
  Vector parameters;
  Vector inputs;   // (samples, inputs)
  Vector factors;  // (samples, outputs)
};

const std::vector<Chunk> kChunks{chunk_of<double>(kSamples, 0), chunk_of<double>(kSamples, 1)};

}  // namespace

TEST_CASE("the weights' gradient agrees with central differences") {
  for (const Activation activation : {Activation::kSiLU, Activation::kTanh}) {
    for (const SingleOutput single_output : {SingleOutput::kBySample, SingleOutput::kByLane}) {
      for (const std::vector<Index>& sizes :
           {std::vector<Index>{3, 9, 4, 2}, std::vector<Index>{5, 7, 1}, std::vector<Index>{3, 1, 2}}) {
        Problem problem(sizes, activation, single_output);
        const Vector gradient = problem.gradient_from_lanes(kChunks);
        const Vector start = problem.parameters;
        const double h = 1e-5;  // h^2 / 6 of the third derivative and rounding / h: both below 1e-8 of the sum
        for (const LayerPlace& layer : problem.layout.layers()) {
          for (Index i = 0; i < layer.outputs * layer.stride + layer.outputs; ++i) {
            const bool is_bias = i >= layer.outputs * layer.stride;
            const Index place = is_bias ? layer.bias + i - layer.outputs * layer.stride : layer.weights + i;
            if (!is_bias && i % layer.stride >= layer.inputs) {
              REQUIRE(gradient(place) == 0.0);
              continue;
            }
            problem.parameters(place) = start(place) + h;
            const double above = problem.objective();
            problem.parameters(place) = start(place) - h;
            const double below = problem.objective();
            problem.parameters(place) = start(place);
            REQUIRE(gradient(place) == doctest::Approx((above - below) / (2.0 * h)).epsilon(1e-6).scale(1.0));
          }
        }
      }
    }
  }
}

TEST_CASE("samples in rows, and samples in one chunk, give the same bits") {
  for (const Activation activation : kActivations) {
    Problem problem({5, 20, 13, 1}, activation, SingleOutput::kBySample);
    const Vector expected = problem.gradient_from_lanes(kChunks);
    CHECK((problem.gradient_from_rows(kChunks) == expected).all());
    CHECK((problem.gradient_from_rows({whole_chunk<double>(kSamples)}) == expected).all());
    CHECK((problem.gradient_from_lanes({whole_chunk<double>(kSamples)}) == expected).all());
  }
}

TEST_CASE("the order of a single output's sums changes roundings alone") {
  Problem by_sample({5, 20, 1}, Activation::kReLU, SingleOutput::kBySample);
  Problem by_lane({5, 20, 1}, Activation::kReLU, SingleOutput::kByLane);
  const Vector first = by_sample.gradient_from_lanes(kChunks);
  const Vector second = by_lane.gradient_from_lanes(kChunks);
  CHECK((first - second).abs().maxCoeff() < 1e-13 * first.abs().maxCoeff());  // 100 samples x epsilon
}

TEST_CASE("the gradient by the inputs agrees with central differences") {
  Problem problem({4, 11, 2}, Activation::kSiLU, SingleOutput::kByLane);
  const Chunk all = whole_chunk<double>(kSamples);
  problem.gradient_from_lanes({all});
  Vector numbers(2 * all.lanes);
  const Block<double> by_inputs{numbers.data(), 2, all.lanes, all.lanes};
  problem.tape.input_gradient(problem.parameters.data(), all, 1, by_inputs);
  const double h = 1e-5;
  for (const Index sample : {Index{0}, Index{63}, Index{99}}) {
    for (Index i = 0; i < 2; ++i) {
      double& input = problem.inputs(sample * 4 + 1 + i);
      const double value = input;
      input = value + h;
      const double above = problem.objective();
      input = value - h;
      const double below = problem.objective();
      input = value;
      CHECK(by_inputs.row(i)[sample] == doctest::Approx((above - below) / (2.0 * h)).epsilon(1e-6).scale(1.0));
    }
  }
}
