#include "dynaplan/core/random.hpp"

#include <algorithm>
#include <cstring>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

using Word = std::uint32_t;

// Multipliers and key increments of Salmon et al. 2011, table 2.
constexpr Word kMultiplier0 = 0xD2511F53;
constexpr Word kMultiplier1 = 0xCD9E8D57;
constexpr Word kWeyl0 = 0x9E3779B9;
constexpr Word kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

using WordVector = LaneVector<Word>;

// The four words of a counter, of one lane or of a vector of lanes.
template <class W>
struct Words {
  W w0, w1, w2, w3;
};

inline Word high_product(Word a, Word b) { return static_cast<Word>((static_cast<std::uint64_t>(a) * b) >> 32); }

// Compilers widen every lane to 64 bits for this and multiply more than needed; the processor's own instruction
// multiplies the even lanes, and the odd ones once they are shifted down.
inline WordVector high_product(WordVector a, Word b) {
#if defined(__AVX512F__)
  const auto x = reinterpret_cast<__m512i>(a);
  const __m512i factor = _mm512_set1_epi64(b);
  const __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(x, factor), 32);
  const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), factor);
  return reinterpret_cast<WordVector>(_mm512_mask_mov_epi32(even, 0xAAAA, odd));
#elif defined(__AVX2__)
  const auto x = reinterpret_cast<__m256i>(a);
  const __m256i factor = _mm256_set1_epi64x(b);
  const __m256i even = _mm256_srli_epi64(_mm256_mul_epu32(x, factor), 32);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), factor);
  return reinterpret_cast<WordVector>(_mm256_blend_epi32(even, odd, 0xAA));
#elif defined(__SSE4_1__)
  const auto x = reinterpret_cast<__m128i>(a);
  const __m128i factor = _mm_set1_epi64x(b);
  const __m128i even = _mm_srli_epi64(_mm_mul_epu32(x, factor), 32);
  const __m128i odd = _mm_mul_epu32(_mm_srli_epi64(x, 32), factor);
  return reinterpret_cast<WordVector>(_mm_blend_epi16(even, odd, 0xCC));
#else
  for (Index k = 0; k < kVectorLanes<Word>; ++k) a[k] = high_product(static_cast<Word>(a[k]), b);
  return a;
#endif
}

template <class W>
inline Words<W> philox_words(Words<W> c, Word key0, Word key1) {
  for (int round = 0; round < kRounds; ++round) {
    const W high0 = high_product(c.w0, kMultiplier0);
    const W high1 = high_product(c.w2, kMultiplier1);
    c = {high1 ^ c.w1 ^ key0, kMultiplier1 * c.w2, high0 ^ c.w3 ^ key1, kMultiplier0 * c.w0};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return c;
}

// The words of the lanes whose counters are (first + lane, group, iteration, call).
struct WordBlock {
  alignas(64) Word words[4][kMaxLanes];

  void fill(const Words<Word>& counter, Index lanes, Word key0, Word key1) {
    WordVector number;
    for (Index k = 0; k < kVectorLanes<Word>; ++k) number[k] = counter.w0 + static_cast<Word>(k);
    const WordVector zero{};
    for (Index lane = 0; lane < lanes; lane += kVectorLanes<Word>) {
      const Words<WordVector> start{number, zero + counter.w1, zero + counter.w2, zero + counter.w3};
      const Words<WordVector> drawn = philox_words(start, key0, key1);
      store_lanes(words[0] + lane, drawn.w0);
      store_lanes(words[1] + lane, drawn.w1);
      store_lanes(words[2] + lane, drawn.w2);
      store_lanes(words[3] + lane, drawn.w3);
      number += static_cast<Word>(kVectorLanes<Word>);
    }
  }
};

inline float as_float(Word bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline Word as_word(float value) {
  Word bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Natural logarithm for normal x > 0: exponent and a polynomial on [sqrt(1/2), sqrt(2)) (Cephes logf).
inline float fast_log(float x) {
  constexpr Word kSqrtHalf = 0x3F3504F3;
  const Word shifted = as_word(x) - kSqrtHalf;
  const auto exponent = static_cast<float>(static_cast<std::int32_t>(shifted) >> 23);
  const float m = as_float((shifted & 0x007FFFFF) + kSqrtHalf) - 1.0F;
  float p = 7.0376836292e-2F;
  p = p * m - 1.1514610310e-1F;
  p = p * m + 1.1676998740e-1F;
  p = p * m - 1.2420140846e-1F;
  p = p * m + 1.4249322787e-1F;
  p = p * m - 1.6668057665e-1F;
  p = p * m + 2.0000714765e-1F;
  p = p * m - 2.4999993993e-1F;
  p = p * m + 3.3333331174e-1F;
  const float square = m * m;
  return (p * m - 0.5F) * square + m + exponent * 0.6931471806F;
}

// Cosine and sine of 2 pi times the fraction `word` / 2^32: a quadrant and polynomials on [-pi/4, pi/4] (Cephes).
inline void cos_sin_turn(Word word, float& cosine, float& sine) {
  const Word rotated = word + 0x20000000U;
  const Word quadrant = rotated >> 30;
  const auto fraction = static_cast<float>(static_cast<std::int32_t>((rotated & 0x3FFFFFFFU) - 0x20000000U));
  const float x = fraction * 1.4629180792671596e-9F;  // (pi / 2) / 2^30
  const float x2 = x * x;
  const float s = ((-1.9515295891e-4F * x2 + 8.3321608736e-3F) * x2 - 1.6666654611e-1F) * x2 * x + x;
  const float c =
      ((2.443315711809948e-5F * x2 - 1.388731625493765e-3F) * x2 + 4.166664568298827e-2F) * x2 * x2 - 0.5F * x2 + 1.0F;
  const bool swap = (quadrant & 1U) != 0;
  const Word cosine_sign = ((quadrant + 1U) & 2U) << 30;
  const Word sine_sign = (quadrant & 2U) << 30;
  cosine = as_float(as_word(swap ? s : c) ^ cosine_sign);
  sine = as_float(as_word(swap ? c : s) ^ sine_sign);
}

// Box and Muller 1958. The radius comes from all 32 bits, so the tail reaches 6.7 standard deviations.
inline void normal_pair(Word radius_word, Word angle_word, float& first, float& second) {
  const float u = static_cast<float>(radius_word) * 2.3283064e-10F + 1.1641532e-10F;  // (word + 1/2) / 2^32
  float square = -2.0F * fast_log(u);
  square = square > 0.0F ? square : 0.0F;
  const float radius = __builtin_sqrtf(square);
  float cosine;
  float sine;
  cos_sin_turn(angle_word, cosine, sine);
  first = radius * cosine;
  second = radius * sine;
}

}  // namespace

std::array<Word, 4> philox(std::array<Word, 4> counter, std::array<Word, 2> key) {
  const auto c = philox_words(Words<Word>{counter[0], counter[1], counter[2], counter[3]}, key[0], key[1]);
  return {c.w0, c.w1, c.w2, c.w3};
}

namespace {

// Four rows at a time: `convert` makes four numbers of a lane's four words.
template <class T, class Convert>
void fill_rows(const Stream& stream, Purpose purpose, Index first_candidate, Index first_row, Block<T> out,
               Convert convert) {
  eigen_assert(first_row % 4 == 0);
  const auto key = key_of(stream.seed);
  const Word iteration = stream.iteration * 4U + static_cast<Word>(purpose);
  WordBlock block;
  alignas(64) float numbers[4][kMaxLanes];
  for (Index row = 0; row < out.dim; row += 4) {
    const auto group = static_cast<Word>((first_row + row) / 4);
    for (Index start = 0; start < out.lanes; start += kMaxLanes) {
      const auto first = static_cast<Word>(first_candidate + start);
      const Index lanes = std::min(kMaxLanes, out.lanes - start);
      block.fill({first, group, iteration, stream.call}, lanes, key[0], key[1]);
      const auto& w = block.words;
      for (Index k = 0; k < lanes; ++k) {
        convert(Words<Word>{w[0][k], w[1][k], w[2][k], w[3][k]}, numbers[0][k], numbers[1][k], numbers[2][k],
                numbers[3][k]);
      }
      for (Index r = 0; r < std::min<Index>(4, out.dim - row); ++r) {
        T* target = out.row(row + r) + start;
        for (Index k = 0; k < lanes; ++k) target[k] = static_cast<T>(numbers[r][k]);
      }
    }
  }
}

}  // namespace

template <class T>
void fill_normal(const Stream& stream, Purpose purpose, Index first_candidate, Index first_row, Block<T> out) {
  fill_rows(stream, purpose, first_candidate, first_row, out,
            [](const Words<Word>& w, float& n0, float& n1, float& n2, float& n3) {
              normal_pair(w.w0, w.w1, n0, n1);
              normal_pair(w.w2, w.w3, n2, n3);
            });
}

template <class T>
void fill_uniform(const Stream& stream, Purpose purpose, Index first_candidate, Index first_row, Block<T> out) {
  // 24 bits: every float on the grid is equally likely and 1 is never reached.
  const auto unit = [](Word word) { return static_cast<float>(word >> 8) * 0x1p-24F; };
  fill_rows(stream, purpose, first_candidate, first_row, out,
            [unit](const Words<Word>& w, float& u0, float& u1, float& u2, float& u3) {
              u0 = unit(w.w0);
              u1 = unit(w.w1);
              u2 = unit(w.w2);
              u3 = unit(w.w3);
            });
}

void fill_words(std::uint64_t seed, std::uint64_t first, std::uint32_t* out) {
  eigen_assert(first % kStreamWords == 0);
  const auto key = key_of(seed);
  const std::uint64_t number = first / 4;
  WordBlock block;
  block.fill({static_cast<Word>(number), static_cast<Word>(number >> 32), 0, ~Word{0}}, kMaxLanes, key[0], key[1]);
  for (Index lane = 0; lane < kMaxLanes; ++lane) {
    for (Index row = 0; row < 4; ++row) out[4 * lane + row] = block.words[row][lane];
  }
}

template void fill_normal<float>(const Stream&, Purpose, Index, Index, Block<float>);
template void fill_normal<double>(const Stream&, Purpose, Index, Index, Block<double>);
template void fill_uniform<float>(const Stream&, Purpose, Index, Index, Block<float>);
template void fill_uniform<double>(const Stream&, Purpose, Index, Index, Block<double>);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
