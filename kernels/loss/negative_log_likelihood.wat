;; negative_log_likelihood.wat: the loss of log-probabilities, and its gradient, for the CPU device, WebAssembly.
;;
;; Computes    forward   loss[i] = -logProbabilities[i, target[i]];  NaN where there is no such class
;;             gradient  to[i, c] = c = target[i] ? -dLoss[i] : 0
;; Parameters  forward: logProbabilities [N, C], target [N], loss [N]; gradient: target, dLoss [N], to [N, C];
;;             then N, C: addresses and sizes
;; Cost        forward reads one element a row, the gradient writes all of them: bound by memory
;; Edges       nothing beside a row is written
;; Reference   lib/ops/loss/negative-log-likelihood.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat

  (func (export "forward")
    (param $logProbabilities i32) (param $target i32) (param $loss i32) (param $N i32) (param $C i32)
    (local $label i32)
    (loop $next
      (local.set $label (i32.load (local.get $target)))
      (f32.store (local.get $loss)
        (if (result f32) (i32.lt_u (local.get $label) (local.get $C))
          (then
            (f32.neg
              (f32.load
                (i32.add (local.get $logProbabilities) (i32.shl (local.get $label) (i32.const 2))))))
          (else (f32.const nan))))
      (local.set $logProbabilities
        (i32.add (local.get $logProbabilities) (i32.shl (local.get $C) (i32.const 2))))
      (local.set $target (i32.add (local.get $target) (i32.const 4)))
      (local.set $loss (i32.add (local.get $loss) (i32.const 4)))
      (br_if $next (local.tee $N (i32.sub (local.get $N) (i32.const 1))))))

  (func (export "gradient")
    (param $target i32) (param $dLoss i32) (param $to i32) (param $N i32) (param $C i32)
    (local $label i32)
    (loop $next
      (call $fillElements (local.get $to) (local.get $C) (i32x4.splat (i32.const 0)))
      (local.set $label (i32.load (local.get $target)))
      (if (i32.lt_u (local.get $label) (local.get $C))
        (then
          (f32.store
            (i32.add (local.get $to) (i32.shl (local.get $label) (i32.const 2)))
            (f32.neg (f32.load (local.get $dLoss))))))
      (local.set $target (i32.add (local.get $target) (i32.const 4)))
      (local.set $dLoss (i32.add (local.get $dLoss) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $C) (i32.const 2))))
      (br_if $next (local.tee $N (i32.sub (local.get $N) (i32.const 1))))))
)
