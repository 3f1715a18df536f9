;; conv2d_rows.wat: a convolution, or its input gradient, as a product for the CPU device, WebAssembly SIMD.
;;
;; Computes    multiply  c[i, n] = Σ_t Σ_k a[i, t, k] · w[t, k, n], f32: row i of A and C lies where an entry of `rows` says, and
;;                       tap t where an entry of `taps` does, for A and for the weight (conv2d_micro.wat). Rows are pixels.
;;                       Forward, k is an input channel (or a run of them, over the columns of a window) and n an output
;;                       channel; backward it is the other way round. `wStep` and `wColumn` are the bytes from one k and
;;                       from one n of the weight to the next. `group` taps of `part` k are packed at once, 256 k at most;
;;                       taps is 1 or more. `masks` has for each four rows which taps they meet, a bit each, lowest first; 0:
;;                       they meet all. Of taps beside the picture nothing is read then
;;             clear     c[i, n] = 0, for pixels that no window touches
;; Technique   C goes in blocks of 32 columns. For each block of k, the weight is packed in panels of 8 columns, [k][8], and
;;             all rows pass by each of them. The picture is not packed: a row of A is a few runs in memory, and micro's four
;;             broadcasting loads may as well come from four places. So a convolution is faster than the product of its sizes
;; Cache       a panel is 256 · 8 · 4 B = 8 KiB and stays in the first-level cache; rows are read from the second: 4 B for each
;;             16 multiply-adds of 4 lanes
;; Cost        2 flop for each k of each element of C, 4 to 5 B of the second level for 64 flop: bound by multiply-adds, of which 53
;;             of 55 GFLOP/s are reached in the inner loop. A weight is packed once for each block of places
;; Relaxed     a multiplication and an addition of locals are one f32x4.relaxed_madd in the second module made of this
;; Accuracy    blocks of 256 k at most are summed on their own: rounding errors grow with √256 + √(K/256), not with √K
;; Edges       a list of rows ends with rows that repeat; panels are filled up with 0, and what is computed of less than 8
;;             columns is copied from a tile
;; Scratch     128 B of tile, 32 B of rows for it, padded to 192 B, and 32 KiB of panels
;; Reference   lib/ops/convolution/conv2d-operations.ts
(module
  (import "env" "memory" (memory 1))

  ;; join common/common.wat
  ;; join matmul/pack.wat
  ;; join convolution/conv2d_micro.wat

  ;; Packs 32 columns that lie side by side into four panels [k][8], `pitch` bytes apart, whole lines of the cache at a time.
  (func $packFour (param $w i32) (param $wStep i32) (param $k i32) (param $to i32) (param $pitch i32)
    (local $p1 i32) (local $p2 i32) (local $p3 i32)
    (local.set $p1 (i32.add (local.get $to) (local.get $pitch)))
    (local.set $p2 (i32.add (local.get $p1) (local.get $pitch)))
    (local.set $p3 (i32.add (local.get $p2) (local.get $pitch)))
    (loop $next
      (v128.store (local.get $to) (v128.load (local.get $w)))
      (v128.store offset=16 (local.get $to) (v128.load offset=16 (local.get $w)))
      (v128.store (local.get $p1) (v128.load offset=32 (local.get $w)))
      (v128.store offset=16 (local.get $p1) (v128.load offset=48 (local.get $w)))
      (v128.store (local.get $p2) (v128.load offset=64 (local.get $w)))
      (v128.store offset=16 (local.get $p2) (v128.load offset=80 (local.get $w)))
      (v128.store (local.get $p3) (v128.load offset=96 (local.get $w)))
      (v128.store offset=16 (local.get $p3) (v128.load offset=112 (local.get $w)))
      (local.set $w (i32.add (local.get $w) (local.get $wStep)))
      (local.set $to (i32.add (local.get $to) (i32.const 32)))
      (local.set $p1 (i32.add (local.get $p1) (i32.const 32)))
      (local.set $p2 (i32.add (local.get $p2) (i32.const 32)))
      (local.set $p3 (i32.add (local.get $p3) (i32.const 32)))
      (br_if $next (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))

  ;; Packs k of some taps and up to 32 columns into panels [tap][k][8]; returns the bytes of a panel.
  (func $packTaps (param $taps i32) (param $tapCount i32) (param $k i32) (param $w i32) (param $wStep i32)
                  (param $wColumn i32) (param $columns i32) (param $to i32) (result i32)
    (local $pitch i32) (local $at i32) (local $panel i32) (local $left i32)
    (local.set $pitch (i32.shl (i32.mul (local.get $tapCount) (local.get $k)) (i32.const 5)))
    (loop $nextTap
      (local.set $at (i32.add (local.get $w) (i32.load offset=4 (local.get $taps))))
      (if (i32.and (i32.eq (local.get $wColumn) (i32.const 4)) (i32.eq (local.get $columns) (i32.const 32)))
        (then (call $packFour (local.get $at) (local.get $wStep) (local.get $k) (local.get $to) (local.get $pitch)))
        (else
          (local.set $panel (local.get $to))
          (local.set $left (local.get $columns))
          (loop $nextPanel
            (call $pack (local.get $at) (local.get $wColumn) (local.get $wStep)
              (select (local.get $left) (i32.const 8) (i32.lt_s (local.get $left) (i32.const 8)))
              (local.get $k) (i32.const 8) (local.get $panel))
            (local.set $at (i32.add (local.get $at) (i32.shl (local.get $wColumn) (i32.const 3))))
            (local.set $panel (i32.add (local.get $panel) (local.get $pitch)))
            (br_if $nextPanel (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 8))) (i32.const 0))))))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $k) (i32.const 5))))
      (local.set $taps (i32.add (local.get $taps) (i32.const 8)))
      (br_if $nextTap (local.tee $tapCount (i32.sub (local.get $tapCount) (i32.const 1)))))
    (local.get $pitch))

  ;; Four rows, of which the first `columns` are wanted; those that repeat another one are stored once.
  (func $edgeRows (param $rows i32) (param $taps i32) (param $tapCount i32) (param $k i32) (param $from i32)
                  (param $b i32) (param $column i32) (param $columns i32) (param $accumulate i32) (param $met i32)
                  (param $tile i32)
    (local $own i32) (local $i i32) (local $at i32) (local $last i32)
    (local.set $own (i32.add (local.get $tile) (i32.const 128)))
    (loop $nextRow
      (local.set $at (i32.add (local.get $own) (i32.shl (local.get $i) (i32.const 3))))
      (i32.store (local.get $at) (i32.load (i32.add (local.get $rows) (i32.shl (local.get $i) (i32.const 3)))))
      (i32.store offset=4 (local.get $at) (i32.add (local.get $tile) (i32.shl (local.get $i) (i32.const 5))))
      (br_if $nextRow (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4))))
    (call $microRows (local.get $own) (local.get $taps) (local.get $tapCount) (local.get $k) (local.get $from)
      (local.get $b) (i32.const 0) (i32.const 0) (local.get $met))
    (loop $nextCopy
      (local.set $at (i32.load offset=4 (local.get $rows)))
      (if (i32.ne (local.get $at) (local.get $last))
        (then
          (call $copyColumns (local.get $tile) (i32.add (local.get $at) (local.get $column)) (local.get $columns)
            (local.get $accumulate))))
      (local.set $last (local.get $at))
      (local.set $tile (i32.add (local.get $tile) (i32.const 32)))
      (local.set $rows (i32.add (local.get $rows) (i32.const 8)))
      (br_if $nextCopy (local.tee $i (i32.sub (local.get $i) (i32.const 1))))))

  (func $copyColumns (param $from i32) (param $to i32) (param $count i32) (param $accumulate i32)
    (local $value f32)
    (loop $next
      (local.set $value (f32.load (local.get $from)))
      (if (local.get $accumulate)
        (then (local.set $value (f32.add (f32.load (local.get $to)) (local.get $value)))))
      (f32.store (local.get $to) (local.get $value))
      (local.set $from (i32.add (local.get $from) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; All rows by one panel. Four rows that meet none of these taps are left out, but where they are written first.
  (func $allRows (param $rows i32) (param $rowCount i32) (param $masks i32) (param $tapAt i32)
                 (param $taps i32) (param $tapCount i32) (param $k i32) (param $from i32)
                 (param $b i32) (param $column i32) (param $columns i32) (param $accumulate i32) (param $tile i32)
    (local $met i32) (local $wanted i32)
    (local.set $met (i32.const -1))
    (local.set $wanted
      (select (i32.sub (i32.shl (i32.const 1) (local.get $tapCount)) (i32.const 1)) (i32.const -1) (local.get $masks)))
    (loop $next
      (if (local.get $masks)
        (then
          (local.set $met (i32.shr_s (i32.load (local.get $masks)) (local.get $tapAt)))
          (local.set $masks (i32.add (local.get $masks) (i32.const 4)))))
      (if (i32.or (i32.eqz (local.get $accumulate)) (i32.and (local.get $met) (local.get $wanted)))
        (then
          (if (i32.ge_s (local.get $columns) (i32.const 8))
            (then
              (call $microRows (local.get $rows) (local.get $taps) (local.get $tapCount) (local.get $k) (local.get $from)
                (local.get $b) (local.get $column) (local.get $accumulate) (local.get $met)))
            (else
              (call $edgeRows (local.get $rows) (local.get $taps) (local.get $tapCount) (local.get $k) (local.get $from)
                (local.get $b) (local.get $column) (local.get $columns) (local.get $accumulate) (local.get $met)
                (local.get $tile))))))
      (local.set $rows (i32.add (local.get $rows) (i32.const 32)))
      (br_if $next (i32.gt_s (local.tee $rowCount (i32.sub (local.get $rowCount) (i32.const 4))) (i32.const 0)))))

  (func (export "multiply")
    (param $rows i32) (param $rowCount i32) (param $masks i32) (param $taps i32) (param $tapCount i32) (param $k i32)
    (param $group i32) (param $part i32) (param $from i32)
    (param $w i32) (param $wStep i32) (param $wColumn i32) (param $column i32) (param $columns i32) (param $scratch i32)
    (local $panels i32) (local $panel i32) (local $pitch i32) (local $some i32) (local $left i32) (local $at i32)
    (local $tap i32) (local $tapsLeft i32) (local $tapsNow i32) (local $k0 i32) (local $kNow i32) (local $accumulate i32)
    (local.set $panels (i32.add (local.get $scratch) (i32.const 192)))
    (loop $nextColumns
      (local.set $some (select (local.get $columns) (i32.const 32) (i32.lt_u (local.get $columns) (i32.const 32))))
      (local.set $tap (local.get $taps))
      (local.set $tapsLeft (local.get $tapCount))
      (local.set $accumulate (i32.const 0))
      (loop $nextTaps
        (local.set $tapsNow
          (select (local.get $tapsLeft) (local.get $group) (i32.lt_u (local.get $tapsLeft) (local.get $group))))
        (local.set $k0 (i32.const 0))
        (loop $nextPart
          (local.set $kNow (i32.sub (local.get $k) (local.get $k0)))
          (if (i32.gt_u (local.get $kNow) (local.get $part)) (then (local.set $kNow (local.get $part))))
          (local.set $pitch
            (call $packTaps (local.get $tap) (local.get $tapsNow) (local.get $kNow)
              (i32.add (local.get $w) (i32.mul (local.get $k0) (local.get $wStep))) (local.get $wStep) (local.get $wColumn)
              (local.get $some) (local.get $panels)))
          (local.set $panel (local.get $panels))
          (local.set $at (local.get $column))
          (local.set $left (local.get $some))
          (loop $nextPanel
            (call $allRows (local.get $rows) (local.get $rowCount) (local.get $masks)
              (i32.shr_u (i32.sub (local.get $tap) (local.get $taps)) (i32.const 3)) (local.get $tap) (local.get $tapsNow) (local.get $kNow)
              (i32.add (local.get $from) (i32.shl (local.get $k0) (i32.const 2)))
              (local.get $panel) (local.get $at) (local.get $left) (local.get $accumulate) (local.get $scratch))
            (local.set $panel (i32.add (local.get $panel) (local.get $pitch)))
            (local.set $at (i32.add (local.get $at) (i32.const 32)))
            (br_if $nextPanel (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 8))) (i32.const 0))))
          (local.set $accumulate (i32.const 1))
          (br_if $nextPart (i32.lt_u (local.tee $k0 (i32.add (local.get $k0) (local.get $kNow))) (local.get $k))))
        (local.set $tap (i32.add (local.get $tap) (i32.shl (local.get $tapsNow) (i32.const 3))))
        (br_if $nextTaps (local.tee $tapsLeft (i32.sub (local.get $tapsLeft) (local.get $tapsNow)))))
      (local.set $w (i32.add (local.get $w) (i32.mul (local.get $some) (local.get $wColumn))))
      (local.set $column (i32.add (local.get $column) (i32.const 128)))
      (br_if $nextColumns (local.tee $columns (i32.sub (local.get $columns) (local.get $some))))))

  (func (export "clear") (param $rows i32) (param $rowCount i32) (param $column i32) (param $columns i32)
    (loop $next
      (call $fillElements (i32.add (i32.load offset=4 (local.get $rows)) (local.get $column)) (local.get $columns)
        (v128.const f32x4 0 0 0 0))
      (local.set $rows (i32.add (local.get $rows) (i32.const 8)))
      (br_if $next (local.tee $rowCount (i32.sub (local.get $rowCount) (i32.const 1)))))))
