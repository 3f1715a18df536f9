;; conv2d_weight_gradient.wat: the gradient of a convolution's weight as a product for the CPU device, WebAssembly SIMD.
;;
;; Computes    weights   c[m, t, n] = Σ_p y[p, m] · x[p, t, n] + (accumulate ? c : 0), f32: p are places of the output, m output
;;                       channels, t taps and n input channels. Entry p of `rows` is the address of the place's window in the
;;                       picture, and that of its gradients y, 8 B; entry t of `taps` bytes to the tap in x, and to its matrix
;;                       c, whose rows are `ldc` apart. M, N and the places are 1 or more. `joined` taps of at most 32 columns
;;                       together share a matrix, in which their columns follow each other; 1: each has its own
;;             addParts  c[m, n] = Σ_i parts[i, m, n]: `count` matrices, `partPitch` bytes apart, with rows of whole vectors,
;;                       `pitch` apart
;; Technique   a product over places, 256 at a time: y is packed in panels of 4 channels, [p][4], and each 32 columns of x, by way
;;             of the table, in panels of 8, [p][8], so that the inner loop reads both in order (matmul/micro.wat). What joined
;;             taps have of a place is a line, [p][columns], of which panels are parts: few columns fill so many panels more
;; Cache       a panel of x is 8 KiB and stays in the first-level cache while all panels of y (4 KiB each) pass by
;; Cost        2 flop for each place of each element of c; packing takes 4 % of the time with 64 output channels
;; Relaxed     a multiplication and an addition of locals are one f32x4.relaxed_madd in the second module made of this
;; Accuracy    256 places are summed on their own and added once; where places are many, so are parts of them
;; Edges       panels are filled up with 0; a block of c at the edge is computed into a tile and copied
;; Scratch     128 B of tile, 32 KiB of panels of x, 1 KiB for each channel of y rounded up to 4
;; Reference   lib/ops/convolution/conv2d-operations.ts
(module
  (import "env" "memory" (memory 1))

  ;; join common/common.wat
  ;; join matmul/micro.wat

  ;; Packs gradients of listed places into panels of 4 channels, [k][4].
  (func $packGradients (param $rows i32) (param $offset i32) (param $channels i32) (param $k i32) (param $to i32)
    (local $row i32) (local $left i32)
    (loop $nextPanel
      (local.set $row (local.get $rows))
      (local.set $left (local.get $k))
      (if (i32.ge_s (local.get $channels) (i32.const 4))
        (then
          (loop $next
            (v128.store (local.get $to) (v128.load (i32.add (i32.load offset=4 (local.get $row)) (local.get $offset))))
            (local.set $row (i32.add (local.get $row) (i32.const 8)))
            (local.set $to (i32.add (local.get $to) (i32.const 16)))
            (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
        (else
          (loop $next
            (v128.store (local.get $to)
              (call $loadSome (i32.add (i32.load offset=4 (local.get $row)) (local.get $offset)) (local.get $channels)
                (v128.const f32x4 0 0 0 0)))
            (local.set $row (i32.add (local.get $row) (i32.const 8)))
            (local.set $to (i32.add (local.get $to) (i32.const 16)))
            (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))
      (local.set $offset (i32.add (local.get $offset) (i32.const 16)))
      (br_if $nextPanel (i32.gt_s (local.tee $channels (i32.sub (local.get $channels) (i32.const 4))) (i32.const 0)))))

  ;; Packs 32 columns of listed places into four panels [k][8].
  (func $packFour (param $rows i32) (param $offset i32) (param $k i32) (param $to i32)
    (local $x i32) (local $p1 i32) (local $p2 i32) (local $p3 i32) (local $bytes i32)
    (local.set $bytes (i32.shl (local.get $k) (i32.const 5)))
    (local.set $p1 (i32.add (local.get $to) (local.get $bytes)))
    (local.set $p2 (i32.add (local.get $p1) (local.get $bytes)))
    (local.set $p3 (i32.add (local.get $p2) (local.get $bytes)))
    (loop $next
      (local.set $x (i32.add (i32.load (local.get $rows)) (local.get $offset)))
      (v128.store (local.get $to) (v128.load (local.get $x)))
      (v128.store offset=16 (local.get $to) (v128.load offset=16 (local.get $x)))
      (v128.store (local.get $p1) (v128.load offset=32 (local.get $x)))
      (v128.store offset=16 (local.get $p1) (v128.load offset=48 (local.get $x)))
      (v128.store (local.get $p2) (v128.load offset=64 (local.get $x)))
      (v128.store offset=16 (local.get $p2) (v128.load offset=80 (local.get $x)))
      (v128.store (local.get $p3) (v128.load offset=96 (local.get $x)))
      (v128.store offset=16 (local.get $p3) (v128.load offset=112 (local.get $x)))
      (local.set $rows (i32.add (local.get $rows) (i32.const 8)))
      (local.set $to (i32.add (local.get $to) (i32.const 32)))
      (local.set $p1 (i32.add (local.get $p1) (i32.const 32)))
      (local.set $p2 (i32.add (local.get $p2) (i32.const 32)))
      (local.set $p3 (i32.add (local.get $p3) (i32.const 32)))
      (br_if $next (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))

  ;; Packs up to 8 columns of listed places into a panel [k][8].
  (func $packPanel (param $rows i32) (param $offset i32) (param $columns i32) (param $k i32) (param $to i32)
    (local $x i32)
    (loop $next
      (local.set $x (i32.add (i32.load (local.get $rows)) (local.get $offset)))
      (if (i32.ge_s (local.get $columns) (i32.const 4))
        (then
          (v128.store (local.get $to) (v128.load (local.get $x)))
          (if (i32.eq (local.get $columns) (i32.const 8))
            (then (v128.store offset=16 (local.get $to) (v128.load offset=16 (local.get $x))))
            (else
              (v128.store offset=16 (local.get $to)
                (call $loadSome (i32.add (local.get $x) (i32.const 16)) (i32.sub (local.get $columns) (i32.const 4))
                  (v128.const f32x4 0 0 0 0))))))
        (else
          (v128.store (local.get $to)
            (call $loadSome (local.get $x) (local.get $columns) (v128.const f32x4 0 0 0 0)))
          (v128.store offset=16 (local.get $to) (v128.const f32x4 0 0 0 0))))
      (local.set $rows (i32.add (local.get $rows) (i32.const 8)))
      (local.set $to (i32.add (local.get $to) (i32.const 32)))
      (br_if $next (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))

  ;; Packs four columns of listed places, or fewer, into lines that are `pitch` bytes apart.
  (func $packQuad (param $rows i32) (param $offset i32) (param $columns i32) (param $k i32) (param $to i32)
                  (param $pitch i32)
    (if (i32.ge_u (local.get $columns) (i32.const 4))
      (then
        (loop $next
          (v128.store (local.get $to) (v128.load (i32.add (i32.load (local.get $rows)) (local.get $offset))))
          (local.set $rows (i32.add (local.get $rows) (i32.const 8)))
          (local.set $to (i32.add (local.get $to) (local.get $pitch)))
          (br_if $next (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))
      (else
        (loop $next
          (call $storeSome (local.get $to) (local.get $columns)
            (call $loadSome (i32.add (i32.load (local.get $rows)) (local.get $offset)) (local.get $columns)
              (v128.const f32x4 0 0 0 0)))
          (local.set $rows (i32.add (local.get $rows) (i32.const 8)))
          (local.set $to (i32.add (local.get $to) (local.get $pitch)))
          (br_if $next (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))))

  ;; Packs the columns of some taps of listed places into lines. The last four of a run cover some of those before them
  ;; where it is no multiple of four.
  (func $packLines (param $rows i32) (param $taps i32) (param $tapCount i32) (param $columns i32) (param $k i32)
                   (param $to i32) (param $pitch i32)
    (local $left i32) (local $at i32)
    (local.set $left (local.get $k))
    (local.set $at (i32.add (local.get $to) (i32.sub (local.get $pitch) (i32.const 16))))
    (loop $nextEnd
      (v128.store (local.get $at) (v128.const f32x4 0 0 0 0))
      (local.set $at (i32.add (local.get $at) (local.get $pitch)))
      (br_if $nextEnd (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (loop $nextTap
      (local.set $left (i32.const 0))
      (loop $nextQuad
        (local.set $at (i32.shl (local.get $left) (i32.const 2)))
        (call $packQuad (local.get $rows) (i32.add (i32.load (local.get $taps)) (local.get $at))
          (local.get $columns) (local.get $k) (i32.add (local.get $to) (local.get $at)) (local.get $pitch))
        (local.set $left (i32.add (local.get $left) (i32.const 4)))
        (if (i32.and
              (i32.gt_s (i32.add (local.get $left) (i32.const 4)) (local.get $columns))
              (i32.lt_s (local.get $left) (local.get $columns)))
          (then (local.set $left (i32.sub (local.get $columns) (i32.const 4)))))
        (br_if $nextQuad (i32.lt_s (local.get $left) (local.get $columns))))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $columns) (i32.const 2))))
      (local.set $taps (i32.add (local.get $taps) (i32.const 8)))
      (br_if $nextTap (local.tee $tapCount (i32.sub (local.get $tapCount) (i32.const 1))))))

  (func (export "weights")
    (param $rows i32) (param $places i32) (param $taps i32) (param $tapCount i32) (param $joined i32)
    (param $yFrom i32)
    (param $c i32) (param $ldc i32) (param $M i32) (param $N i32) (param $accumulate i32) (param $scratch i32)
    (local $k i32) (local $tap i32) (local $tapsLeft i32) (local $n i32) (local $left i32) (local $some i32) (local $at i32)
    (local $panelsX i32) (local $panelsY i32) (local $x i32) (local $cTap i32) (local $step i32) (local $panel i32)
    (local.set $panelsX (i32.add (local.get $scratch) (i32.const 128)))
    (local.set $panelsY (i32.add (local.get $panelsX) (i32.const 32768)))
    (loop $nextPlaces
      (local.set $k (select (local.get $places) (i32.const 256) (i32.lt_u (local.get $places) (i32.const 256))))
      (call $packGradients (local.get $rows) (local.get $yFrom) (local.get $M) (local.get $k) (local.get $panelsY))
      (local.set $tap (local.get $taps))
      (local.set $tapsLeft (local.get $tapCount))
      (loop $nextTap
        (local.set $x (i32.load (local.get $tap)))
        (local.set $cTap (i32.add (local.get $c) (i32.load offset=4 (local.get $tap))))
        (local.set $n (i32.mul (local.get $N) (local.get $joined)))
        (loop $nextColumns
          ;; Bytes from one place to the next, and from one panel to the next.
          (local.set $step (i32.const 32))
          (local.set $panel (i32.shl (local.get $k) (i32.const 5)))
          (local.set $some (local.get $n))
          (if (i32.gt_u (local.get $joined) (i32.const 1))
            (then
              (local.set $step (i32.and (i32.add (i32.shl (local.get $n) (i32.const 2)) (i32.const 15)) (i32.const -16)))
              (local.set $panel (i32.const 32))
              (call $packLines (local.get $rows) (local.get $tap) (local.get $joined) (local.get $N) (local.get $k)
                (local.get $panelsX) (local.get $step)))
            (else
              (if (i32.ge_u (local.get $n) (i32.const 32))
                (then
                  (local.set $some (i32.const 32))
                  (call $packFour (local.get $rows) (local.get $x) (local.get $k) (local.get $panelsX)))
                (else
                  (local.set $some (select (local.get $n) (i32.const 8) (i32.lt_u (local.get $n) (i32.const 8))))
                  (call $packPanel (local.get $rows) (local.get $x) (local.get $some) (local.get $k) (local.get $panelsX))))))
          (local.set $left (local.get $some))
          (local.set $at (local.get $panelsX))
          (loop $nextPanel
            (call $allChannels (local.get $k) (local.get $panelsY) (local.get $M) (local.get $at) (local.get $step)
              (local.get $cTap) (local.get $ldc)
              (select (local.get $left) (i32.const 8) (i32.lt_u (local.get $left) (i32.const 8)))
              (local.get $scratch) (local.get $accumulate))
            (local.set $at (i32.add (local.get $at) (local.get $panel)))
            (local.set $cTap (i32.add (local.get $cTap) (i32.const 32)))
            (br_if $nextPanel (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 8))) (i32.const 0))))
          (local.set $x (i32.add (local.get $x) (i32.shl (local.get $some) (i32.const 2))))
          (br_if $nextColumns (local.tee $n (i32.sub (local.get $n) (local.get $some)))))
        (local.set $tap (i32.add (local.get $tap) (i32.shl (local.get $joined) (i32.const 3))))
        (br_if $nextTap (local.tee $tapsLeft (i32.sub (local.get $tapsLeft) (local.get $joined)))))
      (local.set $accumulate (i32.const 1))
      (local.set $rows (i32.add (local.get $rows) (i32.const 2048)))
      (br_if $nextPlaces (local.tee $places (i32.sub (local.get $places) (local.get $k))))))

  ;; All panels of y by one of x.
  (func $allChannels (param $k i32) (param $y i32) (param $M i32) (param $x i32) (param $step i32) (param $c i32) (param $ldc i32)
                     (param $columns i32) (param $tile i32) (param $accumulate i32)
    (loop $next
      (call $microEdge (local.get $k) (local.get $y) (local.get $x) (local.get $step) (local.get $c) (local.get $ldc)
        (select (local.get $M) (i32.const 4) (i32.lt_s (local.get $M) (i32.const 4)))
        (local.get $columns) (local.get $tile) (local.get $accumulate))
      (local.set $y (i32.add (local.get $y) (i32.shl (local.get $k) (i32.const 4))))
      (local.set $c (i32.add (local.get $c) (i32.shl (local.get $ldc) (i32.const 2))))
      (br_if $next (i32.gt_s (local.tee $M (i32.sub (local.get $M) (i32.const 4))) (i32.const 0)))))

  (func (export "addParts") (param $parts i32) (param $count i32) (param $partPitch i32) (param $pitch i32)
                            (param $c i32) (param $ldc i32) (param $M i32) (param $N i32)
    (local $from i32) (local $to i32) (local $at i32) (local $n i32) (local $left i32) (local $sum v128)
    (loop $nextRow
      (local.set $from (local.get $parts))
      (local.set $to (local.get $c))
      (local.set $n (local.get $N))
      (loop $nextQuad
        (local.set $at (local.get $from))
        (local.set $left (local.get $count))
        (local.set $sum (v128.const f32x4 0 0 0 0))
        (loop $nextPart
          (local.set $sum (f32x4.add (local.get $sum) (v128.load (local.get $at))))
          (local.set $at (i32.add (local.get $at) (local.get $partPitch)))
          (br_if $nextPart (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (if (i32.ge_s (local.get $n) (i32.const 4))
          (then (v128.store (local.get $to) (local.get $sum)))
          (else (call $storeSome (local.get $to) (local.get $n) (local.get $sum))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (br_if $nextQuad (i32.gt_s (local.tee $n (i32.sub (local.get $n) (i32.const 4))) (i32.const 0))))
      (local.set $parts (i32.add (local.get $parts) (local.get $pitch)))
      (local.set $c (i32.add (local.get $c) (local.get $ldc)))
      (br_if $nextRow (local.tee $M (i32.sub (local.get $M) (i32.const 1)))))))
