;; conv2d_winograd.wat: 3 x 3 convolutions at stride 1 and their gradients by Winograd's minimal filtering, WebAssembly SIMD.
;;
;; Computes    a convolution or its input gradient, tiles of 4 x 2 places of the output at a time, whose windows cover 6 x 4
;;             places of the picture:
;;             filters   u[place][panel][k][8] = F g Fᵀ: the nine taps of each filter, transformed to 6 x 4; panels are of 8 of
;;                       what is computed, k what is summed over. `w` is the first tap; `wTap`, `wStep` and `wColumn` are the
;;                       bytes to the next tap, k and column: backward the taps are turned
;;             pictures  v[place][tile][k] = D x Dᵀ, zeros beside the picture
;;             multiply  m[place][tile][n] = Σ_k v[place][tile][k] · u[place][k][n], for some panels
;;             outputs   y = Y m Yᵀ
;;             The gradient of the weight: conv2d_winograd_weights.wat
;; Technique   24 multiplications for 8 places in place of 72: F(4, 3) along the rows, at the points 0, ±√½, ±√2 and ∞, and
;;             F(2, 3) along the columns, at 0, ±1 and ∞ (Lavin and Gray, Fast algorithms for convolutional neural networks,
;;             2016; reciprocal points: Alam et al., Winograd convolution for deep neural networks, 2022)
;; Cost        48 flop for 8 places of each k and n, at 53 GFLOP/s: bound by multiply-adds. To transform takes 5 ns a tile and k,
;;             3 ns a tile and column, 18 ns a filter
;; Cache       of so few tiles that v and m of some panels stay in the second level; a place's part of them in the first
;; Relaxed     a multiplication and an addition of locals are one f32x4.relaxed_madd in the second module made of this
;; Accuracy    sums go by 32 k or tiles: with that, rounding errors are 1.3 to 1.8 times those of sums window by window
;; Edges       k are whole vectors, columns whole panels; of a tile at the edge, the places that exist are written. NaN and
;;             infinity spread in a tile
;; Scratch     filters: 27 KiB; pictures: seven rows of the tiles; outputs: 20 pieces of a line of m
;; Reference   lib/ops/convolution/conv2d-operations.ts
(module
  (import "env" "memory" (memory 1))

  ;; join common/common.wat
  ;; join matmul/pack.wat
  ;; join matmul/micro.wat
  ;; join convolution/conv2d_winograd_tiles.wat
  ;; join convolution/conv2d_winograd_passes.wat
  ;; join convolution/conv2d_winograd_weights.wat

  (func (export "filters")
    (param $w i32) (param $wTap i32) (param $wStep i32) (param $wColumn i32) (param $K i32) (param $panels i32)
    (param $u i32) (param $placePitch i32) (param $scratch i32)
    (local $k i32) (local $some i32) (local $tap i32) (local $at i32) (local $to i32) (local $rows i32)
    (local $run i32) (local $runs i32)
    (loop $nextPanel
      (local.set $k (i32.const 0))
      (loop $nextPart
        (local.set $some (i32.sub (local.get $K) (local.get $k)))
        (if (i32.gt_u (local.get $some) (i32.const 32)) (then (local.set $some (i32.const 32))))
        (local.set $run (i32.shl (local.get $some) (i32.const 5)))
        (local.set $runs (i32.mul (local.get $run) (i32.const 3)))
        (local.set $at (i32.add (local.get $w) (i32.mul (local.get $k) (local.get $wStep))))
        (local.set $to (local.get $scratch))
        (local.set $tap (i32.const 9))
        (loop $nextTap
          (call $pack (local.get $at) (local.get $wColumn) (local.get $wStep) (i32.const 8) (local.get $some) (i32.const 8)
            (local.get $to))
          (local.set $at (i32.add (local.get $at) (local.get $wTap)))
          (local.set $to (i32.add (local.get $to) (local.get $run)))
          (br_if $nextTap (local.tee $tap (i32.sub (local.get $tap) (i32.const 1)))))
        (local.set $rows (local.get $to))
        (call $filterRows (local.get $scratch) (local.get $runs) (i32.const 0)
          (local.get $rows) (local.get $runs) (i32.const 0) (i32.const 1) (local.get $runs))
        (call $filterColumns (local.get $rows) (local.get $run) (local.get $runs)
          (i32.add (local.get $u) (i32.shl (local.get $k) (i32.const 5))) (local.get $placePitch)
          (i32.shl (local.get $placePitch) (i32.const 2)) (i32.const 6) (local.get $run))
        (br_if $nextPart
          (i32.lt_u (local.tee $k (i32.add (local.get $k) (local.get $some))) (local.get $K))))
      (local.set $w (i32.add (local.get $w) (i32.shl (local.get $wColumn) (i32.const 3))))
      (local.set $u (i32.add (local.get $u) (i32.shl (local.get $K) (i32.const 5))))
      (br_if $nextPanel (local.tee $panels (i32.sub (local.get $panels) (i32.const 1))))))

  ;; Tiles of some pictures of H rows, of which `inside` bytes are read, `left` bytes of zeros before them. `first` is the row
  ;; of the picture where the first tile begins, `bytes` are those of a place.
  (func (export "pictures")
    (param $x i32) (param $picturePitch i32) (param $rowPitch i32) (param $H i32) (param $inside i32) (param $left i32)
    (param $first i32) (param $pictures i32) (param $tileRows i32) (param $tileColumns i32) (param $bytes i32)
    (param $v i32) (param $tilePitch i32) (param $placePitch i32) (param $scratch i32)
    (local $line i32) (local $pitch i32) (local $lines i32) (local $at i32) (local $i i32) (local $row i32)
    (local $h i32) (local $step i32) (local $zero v128)
    (local.set $line (i32.mul (i32.shl (i32.add (local.get $tileColumns) (i32.const 1)) (i32.const 1)) (local.get $bytes)))
    (local.set $pitch (i32.add (local.get $line) (i32.const 64)))
    (local.set $step (i32.shl (local.get $bytes) (i32.const 1)))
    ;; A row of zeros, and six whose ends are zeros.
    (call $fillElements (local.get $scratch) (i32.shr_u (local.get $line) (i32.const 2)) (local.get $zero))
    (local.set $lines (i32.add (local.get $scratch) (local.get $line)))
    (local.set $at (local.get $lines))
    (local.set $i (i32.const 6))
    (loop $nextLine
      (call $fillElements (local.get $at) (i32.shr_u (local.get $left) (i32.const 2)) (local.get $zero))
      (call $fillElements (i32.add (local.get $at) (i32.add (local.get $left) (local.get $inside)))
        (i32.shr_u (i32.sub (local.get $line) (i32.add (local.get $left) (local.get $inside))) (i32.const 2))
        (local.get $zero))
      (local.set $at (i32.add (local.get $at) (local.get $pitch)))
      (br_if $nextLine (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (loop $nextPicture
      (local.set $h (local.get $first))
      (local.set $row (local.get $tileRows))
      (loop $nextRow
        (call $pictureRows
          ;; rows
          ;;   1  (local.get $h)
          ;;   2  (i32.add (local.get $h) (i32.const 1))
          ;;   3  (i32.add (local.get $h) (i32.const 2))
          ;;   4  (i32.add (local.get $h) (i32.const 3))
          ;;   5  (i32.add (local.get $h) (i32.const 4))
          ;;   6  (i32.add (local.get $h) (i32.const 5))

          ;; for each row
          (select
            (i32.add (local.get $x) (i32.mul VALUE (local.get $rowPitch)))
            (local.get $scratch) (i32.lt_u VALUE (local.get $H)))
          ;; end
          (i32.add (local.get $lines) (local.get $left)) (local.get $pitch) (local.get $inside))
        (local.set $at (local.get $lines))
        (local.set $i (local.get $tileColumns))
        (loop $nextColumn
          (call $pictureColumns (local.get $at) (local.get $bytes) (local.get $pitch)
            (local.get $v) (local.get $placePitch) (i32.shl (local.get $placePitch) (i32.const 2))
            (i32.const 6) (local.get $bytes))
          (local.set $at (i32.add (local.get $at) (local.get $step)))
          (local.set $v (i32.add (local.get $v) (local.get $tilePitch)))
          (br_if $nextColumn (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
        (local.set $h (i32.add (local.get $h) (i32.const 4)))
        (br_if $nextRow (local.tee $row (i32.sub (local.get $row) (i32.const 1)))))
      (local.set $x (i32.add (local.get $x) (local.get $picturePitch)))
      (br_if $nextPicture (local.tee $pictures (i32.sub (local.get $pictures) (i32.const 1))))))

  ;; Tiles are taken in fours: v and m have room for them.
  (func (export "multiply")
    (param $v i32) (param $tilePitch i32) (param $vPlace i32) (param $tiles i32) (param $K i32)
    (param $u i32) (param $uPlace i32) (param $panels i32) (param $m i32) (param $linePitch i32) (param $mPlace i32)
    (local $place i32) (local $panel i32) (local $b i32) (local $column i32) (local $a i32) (local $c i32) (local $left i32)
    (local.set $place (i32.const 24))
    (loop $nextPlace
      (local.set $b (local.get $u))
      (local.set $column (local.get $m))
      (local.set $panel (local.get $panels))
      (loop $nextPanel
        (local.set $a (local.get $v))
        (local.set $c (local.get $column))
        (local.set $left (local.get $tiles))
        (loop $nextTiles
          (call $fourTiles (local.get $K) (local.get $a) (local.get $tilePitch) (local.get $b)
            (local.get $c) (local.get $linePitch))
          (local.set $a (i32.add (local.get $a) (i32.shl (local.get $tilePitch) (i32.const 2))))
          (local.set $c (i32.add (local.get $c) (i32.shl (local.get $linePitch) (i32.const 2))))
          (br_if $nextTiles (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0))))
        (local.set $b (i32.add (local.get $b) (i32.shl (local.get $K) (i32.const 5))))
        (local.set $column (i32.add (local.get $column) (i32.const 32)))
        (br_if $nextPanel (local.tee $panel (i32.sub (local.get $panel) (i32.const 1)))))
      (local.set $u (i32.add (local.get $u) (local.get $uPlace)))
      (local.set $v (i32.add (local.get $v) (local.get $vPlace)))
      (local.set $m (i32.add (local.get $m) (local.get $mPlace)))
      (br_if $nextPlace (local.tee $place (i32.sub (local.get $place) (i32.const 1))))))

  ;; Tiles of some pictures, of which `rows` and `columns` of places exist. `bytes` are those of a line of m.
  (func (export "outputs")
    (param $m i32) (param $placePitch i32) (param $linePitch i32) (param $bytes i32)
    (param $pictures i32) (param $rows i32) (param $columns i32)
    (param $y i32) (param $picturePitch i32) (param $rowPitch i32) (param $columnPitch i32) (param $scratch i32)
    (local $row i32) (local $column i32) (local $atRow i32) (local $at i32) (local $some i32)
    (local $from i32) (local $i i32) (local $to i32) (local $two i32) (local $own i32)
    (local.set $two (i32.shl (local.get $bytes) (i32.const 1)))
    ;; Four rows of a tile that has less of them.
    (local.set $own (i32.add (local.get $scratch) (i32.mul (local.get $bytes) (i32.const 12))))
    (loop $nextPicture
      (local.set $row (local.get $rows))
      (local.set $atRow (local.get $y))
      (loop $nextRow
        (local.set $column (local.get $columns))
        (local.set $at (local.get $atRow))
        (loop $nextColumn
          (local.set $some
            (select (local.get $column) (i32.const 2) (i32.lt_u (local.get $column) (i32.const 2))))
          (call $outputColumns (local.get $m) (local.get $placePitch) (i32.shl (local.get $placePitch) (i32.const 2))
            (local.get $scratch) (local.get $bytes) (local.get $two) (i32.const 6) (local.get $bytes))
          (if (i32.ge_u (local.get $row) (i32.const 4))
            (then
              (call $outputRows (local.get $scratch) (local.get $two) (local.get $bytes)
                (local.get $at) (local.get $rowPitch) (local.get $columnPitch) (local.get $some) (local.get $bytes)))
            (else
              (call $outputRows (local.get $scratch) (local.get $two) (local.get $bytes)
                (local.get $own) (local.get $two) (local.get $bytes) (local.get $some) (local.get $bytes))
              (local.set $i (local.get $row))
              (local.set $from (local.get $own))
              (local.set $to (local.get $at))
              (loop $nextCopy
                (call $copyElements (local.get $from) (local.get $to) (i32.shr_u (local.get $bytes) (i32.const 2)))
                (if (i32.eq (local.get $some) (i32.const 2))
                  (then
                    (call $copyElements (i32.add (local.get $from) (local.get $bytes))
                      (i32.add (local.get $to) (local.get $columnPitch)) (i32.shr_u (local.get $bytes) (i32.const 2)))))
                (local.set $from (i32.add (local.get $from) (local.get $two)))
                (local.set $to (i32.add (local.get $to) (local.get $rowPitch)))
                (br_if $nextCopy (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))))
          (local.set $m (i32.add (local.get $m) (local.get $linePitch)))
          (local.set $at (i32.add (local.get $at) (i32.shl (local.get $columnPitch) (i32.const 1))))
          (br_if $nextColumn (local.tee $column (i32.sub (local.get $column) (local.get $some)))))
        (local.set $atRow (i32.add (local.get $atRow) (i32.shl (local.get $rowPitch) (i32.const 2))))
        (br_if $nextRow (i32.gt_s (local.tee $row (i32.sub (local.get $row) (i32.const 4))) (i32.const 0))))
      (local.set $y (i32.add (local.get $y) (local.get $picturePitch)))
      (br_if $nextPicture (local.tee $pictures (i32.sub (local.get $pictures) (i32.const 1)))))))
