;; max_pool2d.wat: the largest element of each window, and where the gradient goes, for the CPU device, WebAssembly SIMD.
;;
;; Computes    maxPool2d          to[n, row, column, c] = max over the window's places in the picture, in row order;
;;                                places[n, row, column, c] = the place of the first largest
;;             maxPool2dGradient  to[n, y, x, c] = Σ from[n, row, column, c] over the windows whose winner stands at (y, x)
;; Parameters  windows.wat and window_gradients.wat say how they are called
;; Method      sixteen channels at a time, whose places fill a vector. Most windows have no NaN: a sum that is NaN tells, and sends
;;             its channels the slow way, four at a time. The gradient looks up where a place stands in a table, which
;;             takes two, and room for what has no place: 2 KiB and 4 B a channel
;; Cost        six instructions for four elements of a window, 4 B read an element of the picture: windows side by side are bound
;;             by memory bandwidth. Gradient: nine instructions for an output, and 4 B written an element of the picture
;; Edges       channels beyond whole fours are loaded and stored one by one: nothing beside them is written
;; Reference   lib/ops/pooling/max-pool2d.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join pooling/pool_window.wat

  ;; One to four channels of a window, NaN among them. Pitches in bytes; `place` is that of the first of its places inside.
  (func $largestOfSome
    (param $tap i32) (param $tapRows i32) (param $tapColumns i32) (param $rowPitch i32) (param $columnPitch i32)
    (param $place i32) (param $placePitch i32) (param $to i32) (param $places i32) (param $count i32)
    (local $from i32) (local $left i32) (local $own i32) (local $x v128) (local $largest v128) (local $winner v128)
    (local $takes v128)
    (local.set $largest (f32x4.splat (f32.const -inf)))
    (local.set $winner (i32x4.splat (local.get $place)))
    (loop $nextRow
      (local.set $from (local.get $tap))
      (local.set $left (local.get $tapColumns))
      (local.set $own (local.get $place))
      (loop $nextColumn
        (local.set $x (call $loadQuad (local.get $from) (local.get $count)))
        (local.set $takes
          (v128.or (f32x4.gt (local.get $x) (local.get $largest)) (f32x4.ne (local.get $x) (local.get $x))))
        (local.set $largest (v128.bitselect (local.get $x) (local.get $largest) (local.get $takes)))
        (local.set $winner (v128.bitselect (i32x4.splat (local.get $own)) (local.get $winner) (local.get $takes)))
        (local.set $own (i32.add (local.get $own) (i32.const 1)))
        (local.set $from (i32.add (local.get $from) (local.get $columnPitch)))
        (br_if $nextColumn (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (local.set $place (i32.add (local.get $place) (local.get $placePitch)))
      (local.set $tap (i32.add (local.get $tap) (local.get $rowPitch)))
      (br_if $nextRow (local.tee $tapRows (i32.sub (local.get $tapRows) (i32.const 1)))))
    (call $storeQuad (local.get $to) (local.get $count) (local.get $largest))
    ;; The bytes of the channels that there are.
    (i32.store (local.get $places)
      (i32.and
        (i32x4.extract_lane 0
          (i8x16.shuffle 0 4 8 12 0 4 8 12 0 4 8 12 0 4 8 12 (local.get $winner) (local.get $winner)))
        (i32.shr_u (i32.const -1) (i32.shl (i32.sub (i32.const 4) (local.get $count)) (i32.const 3))))))

  ;; All channels of a window.
  (func $largest
    (param $tap i32) (param $tapRows i32) (param $tapColumns i32) (param $rowPitch i32) (param $columnPitch i32)
    (param $place i32) (param $placePitch i32) (param $counted f32) (param $to i32) (param $places i32)
    (param $channels i32)
    (local $row i32) (local $rows i32) (local $from i32) (local $left i32) (local $ofRow i32)
    (local $own v128) (local $winner v128) (local $sum v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $x v128) (local $y v128) (local $z v128) (local $w v128)
    (local $sumA v128) (local $sumB v128) (local $sumC v128) (local $sumD v128)
    ;; None of its places lies in the picture.
    (if (i32.or (i32.le_s (local.get $tapRows) (i32.const 0)) (i32.le_s (local.get $tapColumns) (i32.const 0)))
      (then
        (call $fillElements (local.get $to) (local.get $channels) (f32x4.splat (f32.const -inf)))
        (call $fillElements
          (local.get $places)
          (i32.shr_u (i32.add (local.get $channels) (i32.const 3)) (i32.const 2))
          (i32x4.splat (i32.const 0)))
        (return)))
    (block $sixteensDone
      (loop $nextSixteen
        (br_if $sixteensDone (i32.lt_s (local.get $channels) (i32.const 16)))
        (local.set $a (f32x4.splat (f32.const -inf)))
        (local.set $b (local.get $a))
        (local.set $c (local.get $a))
        (local.set $d (local.get $a))
        (local.set $sumA (f32x4.splat (f32.const 0)))
        (local.set $sumB (local.get $sumA))
        (local.set $sumC (local.get $sumA))
        (local.set $sumD (local.get $sumA))
        (local.set $winner (i8x16.splat (local.get $place)))
        (local.set $row (local.get $tap))
        (local.set $rows (local.get $tapRows))
        (local.set $ofRow (local.get $place))
        (loop $nextRow
          (local.set $from (local.get $row))
          (local.set $left (local.get $tapColumns))
          (local.set $own (i8x16.splat (local.get $ofRow)))
          (loop $nextColumn
            (local.set $x (v128.load (local.get $from)))
            (local.set $y (v128.load offset=16 (local.get $from)))
            (local.set $z (v128.load offset=32 (local.get $from)))
            (local.set $w (v128.load offset=48 (local.get $from)))
            (local.set $winner
              (v128.bitselect
                (local.get $own)
                (local.get $winner)
                (i8x16.narrow_i16x8_s
                  (i16x8.narrow_i32x4_s
                    (f32x4.gt (local.get $x) (local.get $a))
                    (f32x4.gt (local.get $y) (local.get $b)))
                  (i16x8.narrow_i32x4_s
                    (f32x4.gt (local.get $z) (local.get $c))
                    (f32x4.gt (local.get $w) (local.get $d))))))
            (local.set $a (f32x4.pmax (local.get $a) (local.get $x)))
            (local.set $b (f32x4.pmax (local.get $b) (local.get $y)))
            (local.set $c (f32x4.pmax (local.get $c) (local.get $z)))
            (local.set $d (f32x4.pmax (local.get $d) (local.get $w)))
            (local.set $sumA (f32x4.add (local.get $sumA) (local.get $x)))
            (local.set $sumB (f32x4.add (local.get $sumB) (local.get $y)))
            (local.set $sumC (f32x4.add (local.get $sumC) (local.get $z)))
            (local.set $sumD (f32x4.add (local.get $sumD) (local.get $w)))
            (local.set $own (i8x16.add (local.get $own) (i8x16.splat (i32.const 1))))
            (local.set $from (i32.add (local.get $from) (local.get $columnPitch)))
            (br_if $nextColumn (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
          (local.set $ofRow (i32.add (local.get $ofRow) (local.get $placePitch)))
          (local.set $row (i32.add (local.get $row) (local.get $rowPitch)))
          (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
        (v128.store (local.get $to) (local.get $a))
        (v128.store offset=16 (local.get $to) (local.get $b))
        (v128.store offset=32 (local.get $to) (local.get $c))
        (v128.store offset=48 (local.get $to) (local.get $d))
        (v128.store (local.get $places) (local.get $winner))
        (local.set $sum
          (f32x4.add
            (f32x4.add (local.get $sumA) (local.get $sumB))
            (f32x4.add (local.get $sumC) (local.get $sumD))))
        ;; NaN, or both infinities.
        (if (v128.any_true (f32x4.ne (local.get $sum) (local.get $sum)))
          (then
            (local.set $left (i32.const 0))
            (loop $nextFour
              (call $largestOfSome
                (i32.add (local.get $tap) (i32.shl (local.get $left) (i32.const 2)))
                (local.get $tapRows) (local.get $tapColumns) (local.get $rowPitch) (local.get $columnPitch)
                (local.get $place) (local.get $placePitch)
                (i32.add (local.get $to) (i32.shl (local.get $left) (i32.const 2)))
                (i32.add (local.get $places) (local.get $left))
                (i32.const 4))
              (br_if $nextFour
                (i32.lt_u (local.tee $left (i32.add (local.get $left) (i32.const 4))) (i32.const 16))))))
        (local.set $tap (i32.add (local.get $tap) (i32.const 64)))
        (local.set $to (i32.add (local.get $to) (i32.const 64)))
        (local.set $places (i32.add (local.get $places) (i32.const 16)))
        (local.set $channels (i32.sub (local.get $channels) (i32.const 16)))
        (br $nextSixteen)))
    (block $done
      (loop $nextFour
        (br_if $done (i32.le_s (local.get $channels) (i32.const 0)))
        (call $largestOfSome
          (local.get $tap)
          (local.get $tapRows) (local.get $tapColumns) (local.get $rowPitch) (local.get $columnPitch)
          (local.get $place) (local.get $placePitch) (local.get $to) (local.get $places)
          (call $smaller (local.get $channels) (i32.const 4)))
        (local.set $tap (i32.add (local.get $tap) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $places (i32.add (local.get $places) (i32.const 4)))
        (local.set $channels (i32.sub (local.get $channels) (i32.const 4)))
        (br $nextFour))))

  ;; rows
  ;;   maxPool2d  largest

  ;; join pooling/windows.wat

  ;; Where each place of a window stands, in bytes from its first: what lies beside the picture at `nowhere`.
  (func $tabulate
    (param $table i32) (param $rowPitch i32) (param $columnPitch i32) (param $kernelHeight i32) (param $kernelWidth i32)
    (param $firstRow i32) (param $endRow i32) (param $firstColumn i32) (param $endColumn i32) (param $nowhere i32)
    (local $i i32) (local $j i32)
    (loop $nextRow
      (local.set $j (i32.const 0))
      (loop $nextColumn
        (i32.store (local.get $table)
          (select
            (i32.add
              (i32.mul (local.get $i) (local.get $rowPitch))
              (i32.mul (local.get $j) (local.get $columnPitch)))
            (local.get $nowhere)
            (i32.and
              (i32.and
                (i32.ge_s (local.get $i) (local.get $firstRow))
                (i32.lt_s (local.get $i) (local.get $endRow)))
              (i32.and
                (i32.ge_s (local.get $j) (local.get $firstColumn))
                (i32.lt_s (local.get $j) (local.get $endColumn))))))
        (local.set $table (i32.add (local.get $table) (i32.const 4)))
        (br_if $nextColumn
          (i32.lt_s (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $kernelWidth))))
      (br_if $nextRow
        (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $kernelHeight)))))

  ;; The table of windows that lie inside of the picture.
  (func $begin
    (param $table i32) (param $rowPitch i32) (param $columnPitch i32) (param $kernelHeight i32) (param $kernelWidth i32)
    (call $tabulate
      (local.get $table) (local.get $rowPitch) (local.get $columnPitch)
      (local.get $kernelHeight) (local.get $kernelWidth)
      (i32.const 0) (local.get $kernelHeight) (i32.const 0) (local.get $kernelWidth) (i32.const 0)))

  ;; Adds each channel of a window's gradient where its winner stands. `to` is the window's first place.
  (func $addToWinners
    (param $from i32) (param $places i32) (param $table i32) (param $to i32)
    (param $i i32) (param $endI i32) (param $j i32) (param $endJ i32)
    (param $rowPitch i32) (param $columnPitch i32) (param $kernelHeight i32) (param $kernelWidth i32)
    (param $counted f32) (param $channels i32)
    (local $word i32) (local $at i32)
    ;; At an edge, winners beside the picture are sent away.
    (if
      (i32.or
        (i32.ne (i32.sub (local.get $endI) (local.get $i)) (local.get $kernelHeight))
        (i32.ne (i32.sub (local.get $endJ) (local.get $j)) (local.get $kernelWidth)))
      (then
        (local.set $table (i32.add (local.get $table) (i32.const 1024)))
        (call $tabulate
          (local.get $table) (local.get $rowPitch) (local.get $columnPitch)
          (local.get $kernelHeight) (local.get $kernelWidth)
          (local.get $i) (local.get $endI) (local.get $j) (local.get $endJ)
          (i32.sub (i32.add (local.get $table) (i32.const 1024)) (local.get $to)))))
    (block $foursDone
      (loop $nextFour
        (br_if $foursDone (i32.lt_s (local.get $channels) (i32.const 4)))
        (local.set $word (i32.load (local.get $places)))
        (local.set $at
          (i32.add
            (local.get $to)
            (i32.load (i32.add (local.get $table) (i32.and (i32.shl (local.get $word) (i32.const 2)) (i32.const 1020))))))
        (f32.store (local.get $at)
          (f32.add (f32.load (local.get $at)) (f32.load (local.get $from))))
        (local.set $at
          (i32.add
            (local.get $to)
            (i32.load (i32.add (local.get $table) (i32.and (i32.shr_u (local.get $word) (i32.const 6)) (i32.const 1020))))))
        (f32.store offset=4 (local.get $at)
          (f32.add (f32.load offset=4 (local.get $at)) (f32.load offset=4 (local.get $from))))
        (local.set $at
          (i32.add
            (local.get $to)
            (i32.load (i32.add (local.get $table) (i32.and (i32.shr_u (local.get $word) (i32.const 14)) (i32.const 1020))))))
        (f32.store offset=8 (local.get $at)
          (f32.add (f32.load offset=8 (local.get $at)) (f32.load offset=8 (local.get $from))))
        (local.set $at
          (i32.add
            (local.get $to)
            (i32.load (i32.add (local.get $table) (i32.and (i32.shr_u (local.get $word) (i32.const 22)) (i32.const 1020))))))
        (f32.store offset=12 (local.get $at)
          (f32.add (f32.load offset=12 (local.get $at)) (f32.load offset=12 (local.get $from))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $places (i32.add (local.get $places) (i32.const 4)))
        (local.set $channels (i32.sub (local.get $channels) (i32.const 4)))
        (br $nextFour)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $channels)))
        (local.set $at
          (i32.add
            (local.get $to)
            (i32.load (i32.add (local.get $table) (i32.shl (i32.load8_u (local.get $places)) (i32.const 2))))))
        (f32.store (local.get $at) (f32.add (f32.load (local.get $at)) (f32.load (local.get $from))))
        (local.set $from (i32.add (local.get $from) (i32.const 4)))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))
        (local.set $places (i32.add (local.get $places) (i32.const 1)))
        (local.set $channels (i32.sub (local.get $channels) (i32.const 1)))
        (br $next))))

  ;; rows
  ;;   maxPool2dGradient  addToWinners

  ;; join pooling/window_gradients.wat
)
