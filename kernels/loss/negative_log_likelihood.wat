;; negative_log_likelihood.wat: the loss of log-probabilities, and its gradient, for the CPU device, WebAssembly.
;;
;; Computes    forward   loss[i] = -weight[t] · logProbabilities[i, t], rowWeight[i] = weight[t], t = target[i]; 0 where t is
;;                       ignoreIndex; NaN where there is no such class
;;             gradient  to[i, c] = c = t ? -weight[t] · dLoss[i] : 0
;; Parameters  forward: logProbabilities [N, C], target [N], weights [C], loss [N], rowWeight [N]; gradient: target, weights,
;;             dLoss [N], to [N, C]; then N, C, ignoreIndex, isWeighted: addresses and numbers
;; Cost        forward reads one element a row, the gradient writes all of them: bound by memory
;; Edges       nothing beside a row is written
;; Reference   lib/ops/loss/negative-log-likelihood.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  ;; What a row counts.
  (func $weightOf
    (param $label i32) (param $weights i32) (param $C i32) (param $ignoreIndex i32) (param $isWeighted i32) (result f32)
    (if (i32.eq (local.get $label) (local.get $ignoreIndex)) (then (return (f32.const 0))))
    (if (i32.ge_u (local.get $label) (local.get $C)) (then (return (f32.const nan))))
    (if (result f32) (local.get $isWeighted)
      (then (f32.load (i32.add (local.get $weights) (i32.shl (local.get $label) (i32.const 2)))))
      (else (f32.const 1))))

  ;; Whether a row has a class, and is not ignored.
  (func $counts (param $label i32) (param $C i32) (param $ignoreIndex i32) (result i32)
    (i32.and
      (i32.lt_u (local.get $label) (local.get $C))
      (i32.ne (local.get $label) (local.get $ignoreIndex))))

  (func (export "forward")
    (param $logProbabilities i32) (param $target i32) (param $weights i32) (param $loss i32) (param $rowWeight i32)
    (param $N i32) (param $C i32) (param $ignoreIndex i32) (param $isWeighted i32)
    (local $label i32) (local $weight f32)
    (loop $next
      (local.set $label (i32.load (local.get $target)))
      (local.set $weight
        (call $weightOf
          (local.get $label) (local.get $weights) (local.get $C) (local.get $ignoreIndex) (local.get $isWeighted)))
      (f32.store (local.get $rowWeight) (local.get $weight))
      (f32.store (local.get $loss)
        (if (result f32) (call $counts (local.get $label) (local.get $C) (local.get $ignoreIndex))
          (then
            (f32.neg
              (f32.mul (local.get $weight)
                (f32.load
                  (i32.add (local.get $logProbabilities) (i32.shl (local.get $label) (i32.const 2)))))))
          (else (local.get $weight))))
      (local.set $logProbabilities
        (i32.add (local.get $logProbabilities) (i32.shl (local.get $C) (i32.const 2))))
      (local.set $target (i32.add (local.get $target) (i32.const 4)))
      (local.set $loss (i32.add (local.get $loss) (i32.const 4)))
      (local.set $rowWeight (i32.add (local.get $rowWeight) (i32.const 4)))
      (br_if $next (local.tee $N (i32.sub (local.get $N) (i32.const 1))))))

  (func (export "gradient")
    (param $target i32) (param $weights i32) (param $dLoss i32) (param $to i32)
    (param $N i32) (param $C i32) (param $ignoreIndex i32) (param $isWeighted i32)
    (local $label i32)
    (loop $next
      (call $fillElements (local.get $to) (local.get $C) (i32x4.splat (i32.const 0)))
      (local.set $label (i32.load (local.get $target)))
      (if (call $counts (local.get $label) (local.get $C) (local.get $ignoreIndex))
        (then
          (f32.store
            (i32.add (local.get $to) (i32.shl (local.get $label) (i32.const 2)))
            (f32.neg
              (f32.mul
                (call $weightOf
                  (local.get $label) (local.get $weights) (local.get $C) (local.get $ignoreIndex) (local.get $isWeighted))
                (f32.load (local.get $dLoss)))))))
      (local.set $target (i32.add (local.get $target) (i32.const 4)))
      (local.set $dLoss (i32.add (local.get $dLoss) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $C) (i32.const 2))))
      (br_if $next (local.tee $N (i32.sub (local.get $N) (i32.const 1))))))
)
