;; conv2d_winograd_weights.wat: joined into conv2d_winograd.wat: the gradient of a weight.
;;
;; Computes    gradients          z[place][panel][tile][4] = Yᵀ y Y: the gradients of a tile's 4 x 2 places, transformed to 6 x 4;
;;                                panels of 4 output channels
;;             multiplyGradients  s[place][m][n] = Σ_tile z[place][m][tile] · v[place][tile][n] + (accumulate ? s : 0), v what
;;                                `pictures` computes
;;             weights            w[m][3][3][n] = Fᵀ s F, s[part][place][m][n] added over the parts before
;; Technique   the adjoint of what the other functions compute, so tiles and points are the same (micro.wat: z is packed as it is
;;             transformed, v is read as it lies)
;; Scratch     gradients: 24 lines of y; weights: 36 lines of w

  ;; Tiles of some pictures, of which `rows` and `columns` of places exist: z[place][panel][tile][4], panels `panelPitch` apart.
  (func (export "gradients")
    (param $y i32) (param $picturePitch i32) (param $rowPitch i32) (param $columnPitch i32)
    (param $pictures i32) (param $rows i32) (param $columns i32) (param $bytes i32)
    (param $z i32) (param $panelPitch i32) (param $placePitch i32) (param $scratch i32)
    (local $row i32) (local $column i32) (local $atRow i32) (local $at i32) (local $someRows i32) (local $some i32)
    (local $i i32) (local $from i32) (local $to i32) (local $own i32) (local $four i32) (local $zero v128)
    (local.set $four (i32.shl (local.get $bytes) (i32.const 2)))
    ;; A tile that lies over the edge, with zeros.
    (local.set $own (i32.add (local.get $scratch) (i32.shl (local.get $four) (i32.const 2))))
    (loop $nextPicture
      (local.set $row (local.get $rows))
      (local.set $atRow (local.get $y))
      (loop $nextRow
        (local.set $someRows (select (local.get $row) (i32.const 4) (i32.lt_u (local.get $row) (i32.const 4))))
        (local.set $column (local.get $columns))
        (local.set $at (local.get $atRow))
        (loop $nextColumn
          (local.set $some (select (local.get $column) (i32.const 2) (i32.lt_u (local.get $column) (i32.const 2))))
          (if (i32.and (i32.eq (local.get $someRows) (i32.const 4)) (i32.eq (local.get $some) (i32.const 2)))
            (then
              (call $gradientColumns (local.get $at) (local.get $columnPitch) (local.get $rowPitch)
                (local.get $scratch) (local.get $bytes) (local.get $four) (i32.const 4) (local.get $bytes)))
            (else
              (call $fillElements (local.get $own) (i32.shl (local.get $bytes) (i32.const 1)) (local.get $zero))
              (local.set $i (local.get $someRows))
              (local.set $from (local.get $at))
              (local.set $to (local.get $own))
              (loop $nextCopy
                (call $copyElements (local.get $from) (local.get $to) (i32.shr_u (local.get $bytes) (i32.const 2)))
                (if (i32.eq (local.get $some) (i32.const 2))
                  (then
                    (call $copyElements (i32.add (local.get $from) (local.get $columnPitch))
                      (i32.add (local.get $to) (local.get $bytes)) (i32.shr_u (local.get $bytes) (i32.const 2)))))
                (local.set $from (i32.add (local.get $from) (local.get $rowPitch)))
                (local.set $to (i32.add (local.get $to) (i32.shl (local.get $bytes) (i32.const 1))))
                (br_if $nextCopy (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
              (call $gradientColumns (local.get $own) (local.get $bytes) (i32.shl (local.get $bytes) (i32.const 1))
                (local.get $scratch) (local.get $bytes) (local.get $four) (i32.const 4) (local.get $bytes))))
          ;; A vector of each panel, for each column of the places.
          (local.set $i (i32.const 4))
          (local.set $from (local.get $scratch))
          (local.set $to (local.get $z))
          (loop $nextPlaces
            (call $gradientRows (local.get $from) (local.get $four) (i32.const 16)
              (local.get $to) (i32.shl (local.get $placePitch) (i32.const 2)) (local.get $panelPitch)
              (i32.shr_u (local.get $bytes) (i32.const 4)) (i32.const 16))
            (local.set $from (i32.add (local.get $from) (local.get $bytes)))
            (local.set $to (i32.add (local.get $to) (local.get $placePitch)))
            (br_if $nextPlaces (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
          (local.set $z (i32.add (local.get $z) (i32.const 16)))
          (local.set $at (i32.add (local.get $at) (i32.shl (local.get $columnPitch) (i32.const 1))))
          (br_if $nextColumn (local.tee $column (i32.sub (local.get $column) (local.get $some)))))
        (local.set $atRow (i32.add (local.get $atRow) (i32.shl (local.get $rowPitch) (i32.const 2))))
        (br_if $nextRow (local.tee $row (i32.sub (local.get $row) (local.get $someRows)))))
      (local.set $y (i32.add (local.get $y) (local.get $picturePitch)))
      (br_if $nextPicture (local.tee $pictures (i32.sub (local.get $pictures) (i32.const 1))))))

  ;; s[place][m][n] = Σ_tile z[place][m][tile] · v[place][tile][n] + (accumulate ? s : 0)
  (func (export "multiplyGradients")
    (param $z i32) (param $zPlace i32) (param $v i32) (param $vTile i32) (param $vPlace i32) (param $tiles i32)
    (param $s i32) (param $sPitch i32) (param $sPlace i32) (param $M i32) (param $N i32) (param $accumulate i32)
    (local $place i32) (local $n i32) (local $m i32) (local $a i32) (local $b i32) (local $c i32) (local $column i32)
    (local $tile i32) (local $some i32) (local $at i32)
    (local.set $place (i32.const 24))
    (loop $nextPlace
      (local.set $b (local.get $v))
      (local.set $column (local.get $s))
      (local.set $n (local.get $N))
      (loop $nextColumns
        (local.set $a (local.get $z))
        (local.set $c (local.get $column))
        (local.set $m (local.get $M))
        (loop $nextRows
          (local.set $tile (i32.const 0))
          (local.set $at (local.get $b))
          (loop $nextPart
            (local.set $some (i32.sub (local.get $tiles) (local.get $tile)))
            (if (i32.gt_u (local.get $some) (i32.const 32)) (then (local.set $some (i32.const 32))))
            (call $micro (local.get $some) (local.get $a) (local.get $at) (local.get $vTile)
              (local.get $c) (local.get $sPitch) (i32.or (local.get $accumulate) (local.get $tile)))
            (local.set $a (i32.add (local.get $a) (i32.shl (local.get $some) (i32.const 4))))
            (local.set $at (i32.add (local.get $at) (i32.mul (local.get $some) (local.get $vTile))))
            (br_if $nextPart
              (i32.lt_u (local.tee $tile (i32.add (local.get $tile) (local.get $some))) (local.get $tiles))))
          (local.set $c (i32.add (local.get $c) (i32.shl (local.get $sPitch) (i32.const 2))))
          (br_if $nextRows (local.tee $m (i32.sub (local.get $m) (i32.const 4)))))
        (local.set $b (i32.add (local.get $b) (i32.const 32)))
        (local.set $column (i32.add (local.get $column) (i32.const 32)))
        (br_if $nextColumns (local.tee $n (i32.sub (local.get $n) (i32.const 8)))))
      (local.set $z (i32.add (local.get $z) (local.get $zPlace)))
      (local.set $v (i32.add (local.get $v) (local.get $vPlace)))
      (local.set $s (i32.add (local.get $s) (local.get $sPlace)))
      (br_if $nextPlace (local.tee $place (i32.sub (local.get $place) (i32.const 1))))))

  ;; w[m][3][3][n] of s[part][place][m][n], the parts added
  (func (export "weights")
    (param $s i32) (param $parts i32) (param $sPart i32) (param $sPlace i32) (param $sPitch i32)
    (param $w i32) (param $wPitch i32) (param $rows i32) (param $bytes i32) (param $scratch i32)
    (local $at i32) (local $from i32) (local $to i32) (local $place i32) (local $part i32) (local $left i32)
    (local $sum v128) (local $sums i32) (local $four i32)
    (local.set $four (i32.shl (local.get $bytes) (i32.const 2)))
    (local.set $sums (i32.add (local.get $scratch) (i32.mul (local.get $bytes) (i32.const 24))))
    (loop $nextRow
      (local.set $from (local.get $s))
      (local.set $to (local.get $scratch))
      (local.set $place (i32.const 24))
      (loop $nextPlace
        (local.set $left (i32.const 0))
        (loop $nextQuad
          (local.set $at (i32.add (local.get $from) (local.get $left)))
          (local.set $part (local.get $parts))
          (local.set $sum (v128.const f32x4 0 0 0 0))
          (loop $nextPart
            (local.set $sum (f32x4.add (local.get $sum) (v128.load (local.get $at))))
            (local.set $at (i32.add (local.get $at) (local.get $sPart)))
            (br_if $nextPart (local.tee $part (i32.sub (local.get $part) (i32.const 1)))))
          (v128.store (local.get $to) (local.get $sum))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))
          (br_if $nextQuad
            (i32.lt_u (local.tee $left (i32.add (local.get $left) (i32.const 16))) (local.get $bytes))))
        (local.set $from (i32.add (local.get $from) (local.get $sPlace)))
        (br_if $nextPlace (local.tee $place (i32.sub (local.get $place) (i32.const 1)))))
      (call $weightRows (local.get $scratch) (local.get $four) (i32.const 0)
        (local.get $sums) (local.get $four) (i32.const 0) (i32.const 1) (local.get $four))
      (call $weightColumns (local.get $sums) (local.get $bytes) (local.get $four)
        (local.get $w) (local.get $bytes) (i32.mul (local.get $bytes) (i32.const 3)) (i32.const 3) (local.get $bytes))
      (local.set $s (i32.add (local.get $s) (local.get $sPitch)))
      (local.set $w (i32.add (local.get $w) (local.get $wPitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
