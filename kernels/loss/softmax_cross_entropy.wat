;; softmax_cross_entropy.wat: cross-entropy of softmax with its gradient, for the CPU device, WebAssembly SIMD.
;;
;; Computes    with m = max x, s = Σ exp(x - m), share[c] = weight[c] · q[c], q the smoothed target,
;;             loss = Σ_c share[c] · (m - x[c] + log s)                  ∂loss/∂x[c] = exp(x[c] - m) / s · Σ share - share[c]
;;             forward: loss and weight of each row; gradient: dLoss · ∂loss/∂x; whole: Σ loss (MEAN: / Σ weight) and
;;             its gradient
;; Parameters  of each: logits [N, C], target (i32 [N] classes or f32 [N, C] probabilities), weights [C], N, C,
;;             ignoreIndex, isProbability, isWeighted, smoothing; then
;;             forward: loss [N], rowWeight [N]; gradient: dLoss [N], dLogits [N, C]; whole: isMean, loss [], dLogits
;; Method      three passes over a row, four classes at a time, by way of globals: an instance belongs to one thread.
;;             Sums are kept in float64. `whole` goes over the rows twice.
;; Cost        two exp and 8 B an element: about 3 ns
;; Edges       an ignored row has loss, weight and gradient 0; a class that does not exist, NaN and Inf give NaN in their
;;             row; nothing beside a row is written
;; Reference   lib/ops/loss/cross-entropy-rows.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join common/exponential.wat
  ;; join common/largest.wat

  ;; The settings, and where the row is.
  (global $logits (mut i32) (i32.const 0))
  (global $target (mut i32) (i32.const 0))
  (global $weights (mut i32) (i32.const 0))
  (global $C (mut i32) (i32.const 0))
  (global $ignoreIndex (mut i32) (i32.const 0))
  (global $isProbability (mut i32) (i32.const 0))
  (global $isWeighted (mut i32) (i32.const 0))
  (global $smoothing (mut f32) (f32.const 0))

  ;; What $readRow finds.
  (global $label (mut i32) (i32.const 0))
  (global $isIgnored (mut i32) (i32.const 0))
  (global $isValid (mut i32) (i32.const 0))
  (global $largest (mut f32) (f32.const 0))
  (global $sumOfExp (mut f64) (f64.const 0))
  (global $sumOfShares (mut f64) (f64.const 0))
  (global $loss (mut f64) (f64.const 0))
  (global $weight (mut f64) (f64.const 0))

  (func $begin
    (param $logits i32) (param $target i32) (param $weights i32) (param $C i32) (param $ignoreIndex i32)
    (param $isProbability i32) (param $isWeighted i32) (param $smoothing f32)
    (global.set $logits (local.get $logits))
    (global.set $target (local.get $target))
    (global.set $weights (local.get $weights))
    (global.set $C (local.get $C))
    (global.set $ignoreIndex (local.get $ignoreIndex))
    (global.set $isProbability (local.get $isProbability))
    (global.set $isWeighted (local.get $isWeighted))
    (global.set $smoothing (local.get $smoothing)))

  (func $nextRow
    (local $bytes i32)
    (local.set $bytes (i32.shl (global.get $C) (i32.const 2)))
    (global.set $logits (i32.add (global.get $logits) (local.get $bytes)))
    (global.set $target
      (i32.add (global.get $target)
        (select (local.get $bytes) (i32.const 4) (global.get $isProbability)))))

  ;; Element c and the three behind it of a row at `from`, `rest` in place of those that the row does not have.
  (func $load (param $from i32) (param $c i32) (param $rest f32) (result v128)
    (local.set $from (i32.add (local.get $from) (i32.shl (local.get $c) (i32.const 2))))
    (local.set $c (i32.sub (global.get $C) (local.get $c)))
    (if (result v128) (i32.ge_u (local.get $c) (i32.const 4))
      (then (v128.load (local.get $from)))
      (else (call $loadSome (local.get $from) (local.get $c) (f32x4.splat (local.get $rest))))))

  ;; share[c] and the three behind it, 0 where the row has none.
  (func $shares (param $c i32) (result v128)
    (local $columns v128) (local $share v128)
    (local.set $columns (i32x4.add (i32x4.splat (local.get $c)) (v128.const i32x4 0 1 2 3)))
    (local.set $share
      (if (result v128) (global.get $isProbability)
        (then (call $load (global.get $target) (local.get $c) (f32.const 0)))
        (else
          (v128.and
            (f32x4.splat (f32.const 1))
            (i32x4.eq (local.get $columns) (i32x4.splat (global.get $label)))))))
    (local.set $share
      (f32x4.add
        (f32x4.mul (local.get $share) (f32x4.splat (f32.sub (f32.const 1) (global.get $smoothing))))
        (f32x4.splat (f32.div (global.get $smoothing) (f32.convert_i32_u (global.get $C))))))
    (if (global.get $isWeighted)
      (then
        (local.set $share
          (f32x4.mul (local.get $share) (call $load (global.get $weights) (local.get $c) (f32.const 0))))))
    (v128.and (local.get $share) (i32x4.lt_s (local.get $columns) (i32x4.splat (global.get $C)))))

  ;; exp(x - m) of element c and the three behind it, 0 where the row has none.
  (func $exponentials (param $c i32) (result v128)
    (call $exp
      (f32x4.sub
        (call $load (global.get $logits) (local.get $c) (f32.const -inf))
        (f32x4.splat (global.get $largest)))))

  ;; Σ exp(x - m)
  (func $addExponentials (result f64)
    (local $from i32) (local $left i32) (local $m v128) (local $e v128) (local $sums v128)
    (local.set $from (global.get $logits))
    (local.set $left (global.get $C))
    (local.set $m (f32x4.splat (global.get $largest)))
    (loop $nextQuad
      (local.set $e
        (call $exp
          (f32x4.sub
            (if (result v128) (i32.ge_s (local.get $left) (i32.const 4))
              (then (v128.load (local.get $from)))
              (else (call $loadSome (local.get $from) (local.get $left) (f32x4.splat (f32.const -inf)))))
            (local.get $m))))
      (local.set $sums
        (f64x2.add (local.get $sums)
          (f64x2.add
            (f64x2.promote_low_f32x4 (local.get $e))
            (f64x2.promote_low_f32x4
              (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $e) (local.get $e))))))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $nextQuad
        (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0))))
    (call $total (local.get $sums)))

  ;; sums + the four elements of x, as two doubles.
  (func $addUp (param $sums v128) (param $x v128) (result v128)
    (f64x2.add (local.get $sums)
      (f64x2.add
        (f64x2.promote_low_f32x4 (local.get $x))
        (f64x2.promote_low_f32x4
          (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x))))))

  (func $total (param $sums v128) (result f64)
    (f64.add (f64x2.extract_lane 0 (local.get $sums)) (f64x2.extract_lane 1 (local.get $sums))))

  ;; weight · (m - x + log s) of the row's class; a weight of 0 counts nothing, be the logit infinite.
  (func $lossOfClass (param $x f32) (param $logarithm v128) (result f64)
    (if (f64.eq (global.get $weight) (f64.const 0)) (then (return (f64.const 0))))
    (f64.mul (global.get $weight)
      (f64.promote_f32
        (f32.add
          (f32.sub (global.get $largest) (local.get $x))
          (f32x4.extract_lane 0 (local.get $logarithm))))))

  (func $readRow
    (local $c i32) (local $sums v128) (local $losses v128) (local $share v128) (local $logarithm v128)
    (global.set $label (i32.const -1))
    (if (i32.eqz (global.get $isProbability))
      (then (global.set $label (i32.load (global.get $target)))))
    (global.set $isIgnored
      (i32.and
        (i32.eqz (global.get $isProbability))
        (i32.eq (global.get $label) (global.get $ignoreIndex))))
    (if (global.get $isIgnored)
      (then
        (global.set $loss (f64.const 0))
        (global.set $weight (f64.const 0))
        (return)))
    (global.set $largest (call $largest (global.get $logits) (global.get $C)))
    (global.set $isValid
      (i32.and
        (i32.or (global.get $isProbability) (i32.lt_u (global.get $label) (global.get $C)))
        (f32.lt (f32.abs (global.get $largest)) (f32.const inf))))

    (global.set $sumOfExp (call $addExponentials))
    (local.set $logarithm (call $log (f32x4.splat (f32.demote_f64 (global.get $sumOfExp)))))

    (global.set $weight (f64.const 1))
    (if (i32.and (global.get $isWeighted) (i32.lt_u (global.get $label) (global.get $C)))
      (then
        (global.set $weight
          (f64.promote_f32
            (f32.load (i32.add (global.get $weights) (i32.shl (global.get $label) (i32.const 2))))))))

    ;; A class without smoothing has one share that is not 0, its weight.
    (if (i32.and (i32.ge_s (global.get $label) (i32.const 0)) (f32.eq (global.get $smoothing) (f32.const 0)))
      (then
        (global.set $sumOfShares (global.get $weight))
        (global.set $loss
          (if (result f64) (global.get $isValid)
            (then
              (call $lossOfClass
                (f32.load (i32.add (global.get $logits) (i32.shl (global.get $label) (i32.const 2))))
                (local.get $logarithm)))
            (else (f64.const nan))))
        (return)))

    (loop $nextQuad
      (local.set $share (call $shares (local.get $c)))
      (local.set $sums (call $addUp (local.get $sums) (local.get $share)))
      ;; A share of 0 counts nothing, be the logit infinite.
      (local.set $losses
        (call $addUp (local.get $losses)
          (v128.andnot
            (f32x4.mul (local.get $share)
              (f32x4.add
                (f32x4.sub
                  (f32x4.splat (global.get $largest))
                  (call $load (global.get $logits) (local.get $c) (f32.const 0)))
                (local.get $logarithm)))
            (f32x4.eq (local.get $share) (f32x4.splat (f32.const 0))))))
      (br_if $nextQuad
        (i32.lt_u (local.tee $c (i32.add (local.get $c) (i32.const 4))) (global.get $C))))
    (global.set $sumOfShares (call $total (local.get $sums)))
    (global.set $loss
      (select (call $total (local.get $losses)) (f64.const nan) (global.get $isValid))))

  ;; dLogits of the row that was read: factor · ∂loss/∂x.
  (func $writeGradient (param $dLogits i32) (param $factor f64)
    (local $c i32) (local $dx v128) (local $scale v128)
    (local.set $scale
      (f32x4.splat (f32.demote_f64 (f64.div (global.get $sumOfShares) (global.get $sumOfExp)))))
    (if (i32.eqz (global.get $isValid)) (then (local.set $factor (f64.const nan))))
    (loop $nextQuad
      (if (i32.eqz (global.get $isIgnored))
        (then
          (local.set $dx
            (f32x4.mul
              (f32x4.splat (f32.demote_f64 (local.get $factor)))
              (f32x4.sub
                (f32x4.mul (call $exponentials (local.get $c)) (local.get $scale))
                (call $shares (local.get $c)))))))
      (if (i32.ge_u (i32.sub (global.get $C) (local.get $c)) (i32.const 4))
        (then (v128.store (local.get $dLogits) (local.get $dx)))
        (else
          (call $storeSome (local.get $dLogits) (i32.sub (global.get $C) (local.get $c)) (local.get $dx))))
      (local.set $dLogits (i32.add (local.get $dLogits) (i32.const 16)))
      (br_if $nextQuad
        (i32.lt_u (local.tee $c (i32.add (local.get $c) (i32.const 4))) (global.get $C)))))

  (func (export "forward")
    (param $logits i32) (param $target i32) (param $weights i32) (param $N i32) (param $C i32) (param $ignoreIndex i32)
    (param $isProbability i32) (param $isWeighted i32) (param $smoothing f32) (param $loss i32) (param $rowWeight i32)
    (call $begin (local.get $logits) (local.get $target) (local.get $weights) (local.get $C)
      (local.get $ignoreIndex) (local.get $isProbability) (local.get $isWeighted) (local.get $smoothing))
    (loop $next
      (call $readRow)
      (f32.store (local.get $loss) (f32.demote_f64 (global.get $loss)))
      (f32.store (local.get $rowWeight) (f32.demote_f64 (global.get $weight)))
      (call $nextRow)
      (local.set $loss (i32.add (local.get $loss) (i32.const 4)))
      (local.set $rowWeight (i32.add (local.get $rowWeight) (i32.const 4)))
      (br_if $next (local.tee $N (i32.sub (local.get $N) (i32.const 1))))))

  (func (export "gradient")
    (param $logits i32) (param $target i32) (param $weights i32) (param $N i32) (param $C i32) (param $ignoreIndex i32)
    (param $isProbability i32) (param $isWeighted i32) (param $smoothing f32) (param $dLoss i32) (param $dLogits i32)
    (call $begin (local.get $logits) (local.get $target) (local.get $weights) (local.get $C)
      (local.get $ignoreIndex) (local.get $isProbability) (local.get $isWeighted) (local.get $smoothing))
    (loop $next
      (call $readRow)
      (call $writeGradient (local.get $dLogits) (f64.promote_f32 (f32.load (local.get $dLoss))))
      (call $nextRow)
      (local.set $dLoss (i32.add (local.get $dLoss) (i32.const 4)))
      (local.set $dLogits (i32.add (local.get $dLogits) (i32.shl (local.get $C) (i32.const 2))))
      (br_if $next (local.tee $N (i32.sub (local.get $N) (i32.const 1))))))

  (func (export "whole")
    (param $logits i32) (param $target i32) (param $weights i32) (param $N i32) (param $C i32) (param $ignoreIndex i32)
    (param $isProbability i32) (param $isWeighted i32) (param $smoothing f32)
    (param $isMean i32) (param $loss i32) (param $dLogits i32)
    (local $row i32) (local $sum f64) (local $divisor f64)
    (call $begin (local.get $logits) (local.get $target) (local.get $weights) (local.get $C)
      (local.get $ignoreIndex) (local.get $isProbability) (local.get $isWeighted) (local.get $smoothing))
    (loop $next
      (call $readRow)
      (local.set $sum (f64.add (local.get $sum) (global.get $loss)))
      (local.set $divisor (f64.add (local.get $divisor) (global.get $weight)))
      (call $nextRow)
      (br_if $next
        (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 1))) (local.get $N))))
    (if (i32.eqz (local.get $isMean)) (then (local.set $divisor (f64.const 1))))
    (f32.store (local.get $loss) (f32.demote_f64 (f64.div (local.get $sum) (local.get $divisor))))

    (global.set $logits (local.get $logits))
    (global.set $target (local.get $target))
    (loop $next
      (call $readRow)
      (call $writeGradient (local.get $dLogits) (f64.div (f64.const 1) (local.get $divisor)))
      (call $nextRow)
      (local.set $dLogits (i32.add (local.get $dLogits) (i32.shl (local.get $C) (i32.const 2))))
      (br_if $next (local.tee $N (i32.sub (local.get $N) (i32.const 1))))))
)
