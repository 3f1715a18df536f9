;; draw_views.wat: what augmented views of the rows of a batch are like, a record each, for the CPU device, WebAssembly SIMD.
;;
;; Computes    views[v] = the record of lib/ops/augment/view-record.ts, drawn from (seed, epoch, row)
;; Parameters  state u32 [4]; rows i32 [V]; means [M, C]; channels [3, C]; to; scratch: 64 B for each 16 words that are drawn, and
;;             64 B; V; count, taken; M, C; recordBytes; stream; recolours, mixes: whether colours change, and by a matrix;
;;             the other numbers are those of the uniforms of draw_views.wgsl, ranges as from, and how far
;; Method      as in draw_views.wgsl, a view after the other; what is off is not drawn
;; Cost        about 0.2 us a view
;; Reference   lib/ops/augment/draw-views.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/philox.wat
  ;; join common/exponential.wat

  (func $unit (param $at i32) (result f32)
    (f32.mul (f32.convert_i32_u (i32.shr_u (i32.load (local.get $at)) (i32.const 8))) (f32.const 0x1p-24)))

  (func $between (param $at i32) (param $from f32) (param $span f32) (result f32)
    (f32.add (local.get $from) (f32.mul (local.get $span) (call $unit (local.get $at)))))

  (func $happens (param $at i32) (param $chance i32) (result i32)
    (i32.lt_u (i32.shr_u (i32.load (local.get $at)) (i32.const 8)) (local.get $chance)))

  ;; A whole number from 0 to below `choices`.
  (func $choice (param $at i32) (param $choices i32) (result f32)
    (f32.convert_i64_u
      (i64.shr_u
        (i64.mul (i64.load32_u (local.get $at)) (i64.extend_i32_u (local.get $choices)))
        (i64.const 32))))

  ;; join augment/view_places.wat
  ;; join augment/view_colours.wat

  (func (export "drawViews")
    (param $state i32) (param $rows i32) (param $means i32) (param $channels i32) (param $to i32) (param $scratch i32)
    (param $V i32) (param $count i32) (param $taken i32) (param $M i32) (param $C i32)
    (param $recordBytes i32) (param $stream i32) (param $recolours i32) (param $mixes i32)
    (param $flipsX i32) (param $flipsY i32) (param $perspective i32) (param $noise i32) (param $cuts i32)
    (param $windowsX i32) (param $windowsY i32) (param $cutsX i32) (param $cutsY i32)
    (param $W f32) (param $H f32) (param $squeezeX f32) (param $squeezeY f32) (param $middleX f32) (param $middleY f32)
    (param $rotationFrom f32) (param $rotationSpan f32) (param $scaleFrom f32) (param $scaleSpan f32)
    (param $shiftX f32) (param $shiftY f32) (param $contrastFrom f32) (param $contrastSpan f32)
    (param $brightnessFrom f32) (param $brightnessSpan f32) (param $gainFrom f32) (param $gainSpan f32)
    (param $hueFrom f32) (param $hueSpan f32) (param $fill f32) (param $cutFill f32) (param $distortion f32)
    (param $noiseBelow f32) (param $fillsMean i32) (param $cutsMean i32)
    (local $v i32) (local $row i32) (local $words i32) (local $gains i32) (local $gainsEnd i32) (local $matrix i32)
    (local $across f32) (local $down f32) (local $cos f32) (local $sin f32) (local $times f32)
    (local $a f32) (local $b f32) (local $d f32) (local $e f32) (local $right f32) (local $below f32) (local $x f32) (local $y f32)
    ;; scratch: the state that is drawn from, 16 words of four blocks, again and again, then a matrix
    (local.set $words (i32.add (local.get $scratch) (i32.const 16)))
    (local.set $gains (i32.add (local.get $scratch) (i32.const 144)))
    (local.set $gainsEnd
      (i32.add (local.get $gains) (i32.shl (local.get $C) (i32.const 2))))
    (local.set $matrix (i32.and (i32.add (local.get $gainsEnd) (i32.const 63)) (i32.const -64)))
    (local.set $matrix (i32.add (local.get $matrix) (i32.const 64)))
    (i64.store (local.get $scratch) (i64.load (local.get $state)))
    (loop $next
      (local.set $row (i32.load (local.get $rows)))
      (i32.store offset=8 (local.get $scratch)
        (i32.add
          (i32.load offset=8 (local.get $state))
          (i32.div_u
            (i32.add
              (i32.add (i32.load offset=12 (local.get $state)) (local.get $taken))
              (local.get $v))
            (local.get $count))))
      (call $drawBlocks (i32.const 0) (local.get $scratch) (local.get $stream) (local.get $row) (local.get $words))
      (if (i32.or (i32.or (local.get $perspective) (local.get $noise)) (local.get $cuts))
        (then
          (call $drawBlocks (i32.const 4) (local.get $scratch) (local.get $stream) (local.get $row)
            (i32.add (local.get $scratch) (i32.const 80)))))
      (if (f32.ne (local.get $gainSpan) (f32.const 0))
        (then
          (local.set $words (local.get $gains))
          (loop $nextGains
            (call $drawBlocks
              (i32.shr_u (i32.sub (local.get $words) (i32.add (local.get $scratch) (i32.const 16))) (i32.const 4))
              (local.get $scratch) (local.get $stream) (local.get $row) (local.get $words))
            (br_if $nextGains
              (i32.lt_u
                (local.tee $words (i32.add (local.get $words) (i32.const 64)))
                (local.get $gainsEnd))))
          (local.set $words (i32.add (local.get $scratch) (i32.const 16)))))

      ;; The inverse of flips, scale, rotation and shift, and from the middle of the view to its place in the picture.
      (local.set $times (f32.const 1))
      (if (f32.ne (f32.add (f32.abs (local.get $scaleFrom)) (f32.abs (local.get $scaleSpan))) (f32.const 0))
        (then
          (local.set $times
            (f32x4.extract_lane 0
              (call $exp
                (f32x4.splat
                  (f32.neg (call $between (i32.add (local.get $scratch) (i32.const 28)) (local.get $scaleFrom) (local.get $scaleSpan)))))))))
      (local.set $cos (f32.const 1))
      (local.set $sin (f32.const 0))
      (if (f32.ne (f32.add (f32.abs (local.get $rotationFrom)) (f32.abs (local.get $rotationSpan))) (f32.const 0))
        (then
          (call $circle (call $between (i32.add (local.get $scratch) (i32.const 24)) (local.get $rotationFrom) (local.get $rotationSpan)))
          (local.set $sin)
          (local.set $cos)))
      (local.set $across (f32.mul (local.get $squeezeX) (local.get $times)))
      (if (call $happens (i32.add (local.get $scratch) (i32.const 16)) (local.get $flipsX))
        (then (local.set $across (f32.neg (local.get $across)))))
      (local.set $down (f32.mul (local.get $squeezeY) (local.get $times)))
      (if (call $happens (i32.add (local.get $scratch) (i32.const 20)) (local.get $flipsY))
        (then (local.set $down (f32.neg (local.get $down)))))
      (local.set $a (f32.mul (local.get $across) (local.get $cos)))
      (local.set $b (f32.neg (f32.mul (local.get $across) (local.get $sin))))
      (local.set $d (f32.mul (local.get $down) (local.get $sin)))
      (local.set $e (f32.mul (local.get $down) (local.get $cos)))
      (local.set $right (call $between (i32.add (local.get $scratch) (i32.const 32)) (f32.neg (local.get $shiftX)) (f32.add (local.get $shiftX) (local.get $shiftX))))
      (local.set $below (call $between (i32.add (local.get $scratch) (i32.const 36)) (f32.neg (local.get $shiftY)) (f32.add (local.get $shiftY) (local.get $shiftY))))
      (local.set $x (f32.add (local.get $middleX) (call $choice (i32.add (local.get $scratch) (i32.const 40)) (local.get $windowsX))))
      (local.set $y (f32.add (local.get $middleY) (call $choice (i32.add (local.get $scratch) (i32.const 44)) (local.get $windowsY))))
      (local.set $x (f32.sub (f32.sub (local.get $x) (f32.mul (local.get $a) (local.get $right))) (f32.mul (local.get $b) (local.get $below))))
      (local.set $y (f32.sub (f32.sub (local.get $y) (f32.mul (local.get $d) (local.get $right))) (f32.mul (local.get $e) (local.get $below))))
      (if (call $happens (i32.add (local.get $scratch) (i32.const 60)) (local.get $perspective))
        (then
          (call $perspective
            (local.get $matrix) (i32.add (local.get $scratch) (i32.const 64)) (local.get $W) (local.get $H) (local.get $distortion))
          (f32.store offset=0 (local.get $to)
            (f32.add (f32.add (f32.mul (local.get $a) (f32.load offset=0 (local.get $matrix))) (f32.mul (local.get $b) (f32.load offset=12 (local.get $matrix)))) (f32.mul (local.get $x) (f32.load offset=24 (local.get $matrix)))))
          (f32.store offset=4 (local.get $to)
            (f32.add (f32.add (f32.mul (local.get $a) (f32.load offset=4 (local.get $matrix))) (f32.mul (local.get $b) (f32.load offset=16 (local.get $matrix)))) (f32.mul (local.get $x) (f32.load offset=28 (local.get $matrix)))))
          (f32.store offset=8 (local.get $to)
            (f32.add (f32.add (f32.mul (local.get $a) (f32.load offset=8 (local.get $matrix))) (f32.mul (local.get $b) (f32.load offset=20 (local.get $matrix)))) (f32.mul (local.get $x) (f32.load offset=32 (local.get $matrix)))))
          (f32.store offset=12 (local.get $to)
            (f32.add (f32.add (f32.mul (local.get $d) (f32.load offset=0 (local.get $matrix))) (f32.mul (local.get $e) (f32.load offset=12 (local.get $matrix)))) (f32.mul (local.get $y) (f32.load offset=24 (local.get $matrix)))))
          (f32.store offset=16 (local.get $to)
            (f32.add (f32.add (f32.mul (local.get $d) (f32.load offset=4 (local.get $matrix))) (f32.mul (local.get $e) (f32.load offset=16 (local.get $matrix)))) (f32.mul (local.get $y) (f32.load offset=28 (local.get $matrix)))))
          (f32.store offset=20 (local.get $to)
            (f32.add (f32.add (f32.mul (local.get $d) (f32.load offset=8 (local.get $matrix))) (f32.mul (local.get $e) (f32.load offset=20 (local.get $matrix)))) (f32.mul (local.get $y) (f32.load offset=32 (local.get $matrix)))))
          (f32.store offset=24 (local.get $to) (f32.load offset=24 (local.get $matrix)))
          (f32.store offset=28 (local.get $to) (f32.load offset=28 (local.get $matrix)))
          (f32.store offset=32 (local.get $to) (f32.const 1)))
        (else
          (f32.store (local.get $to) (local.get $a))
          (f32.store offset=4 (local.get $to) (local.get $b))
          (f32.store offset=8 (local.get $to) (local.get $x))
          (f32.store offset=12 (local.get $to) (local.get $d))
          (f32.store offset=16 (local.get $to) (local.get $e))
          (f32.store offset=20 (local.get $to) (local.get $y))
          (f32.store offset=24 (local.get $to) (f32.const 0))
          (f32.store offset=28 (local.get $to) (f32.const 0))
          (f32.store offset=32 (local.get $to) (f32.const 1))))
      ;; Places are counted from the first pixel, no longer from the middle.
      (local.set $x (f32.mul (f32.const 0.5) (f32.sub (f32.const 1) (local.get $W))))
      (local.set $y (f32.mul (f32.const 0.5) (f32.sub (f32.const 1) (local.get $H))))
      (f32.store offset=8 (local.get $to)
        (f32.add (f32.load offset=8 (local.get $to))
          (f32.add
            (f32.mul (f32.load offset=0 (local.get $to)) (local.get $x))
            (f32.mul (f32.load offset=4 (local.get $to)) (local.get $y)))))
      (f32.store offset=20 (local.get $to)
        (f32.add (f32.load offset=20 (local.get $to))
          (f32.add
            (f32.mul (f32.load offset=12 (local.get $to)) (local.get $x))
            (f32.mul (f32.load offset=16 (local.get $to)) (local.get $y)))))
      (f32.store offset=32 (local.get $to)
        (f32.add (f32.load offset=32 (local.get $to))
          (f32.add
            (f32.mul (f32.load offset=24 (local.get $to)) (local.get $x))
            (f32.mul (f32.load offset=28 (local.get $to)) (local.get $y)))))

      ;; Where nothing is cut out, the square lies beside the view.
      (f32.store offset=36 (local.get $to) (local.get $W))
      (f32.store offset=40 (local.get $to) (local.get $H))
      (if (local.get $cuts)
        (then
          (if (call $happens (i32.add (local.get $scratch) (i32.const 96)) (local.get $cuts))
            (then
              (f32.store offset=36 (local.get $to) (call $choice (i32.add (local.get $scratch) (i32.const 100)) (local.get $cutsX)))
              (f32.store offset=40 (local.get $to) (call $choice (i32.add (local.get $scratch) (i32.const 104)) (local.get $cutsY)))))))
      (v128.store offset=44 align=4 (local.get $to) (v128.const i32x4 0 0 0 0))
      (f32.store offset=60 (local.get $to) (f32.const 0))
      (if (local.get $noise)
        (then
          (if (call $happens (i32.add (local.get $scratch) (i32.const 108)) (local.get $noise))
            (then
              (f32.store offset=44 (local.get $to) (local.get $noiseBelow))
              (f32.store offset=48 (local.get $to) (f32.convert_i32_u (i32.load16_u offset=114 (local.get $scratch))))
              (f32.store offset=52 (local.get $to) (f32.convert_i32_u (i32.load16_u offset=118 (local.get $scratch))))))))

      ;; Lanes beyond the last channel are 0.
      (local.set $row
        (select (local.get $row) (i32.sub (local.get $M) (i32.const 1)) (i32.lt_u (local.get $row) (local.get $M))))
      (local.set $words (i32.add (local.get $to) (i32.const 64)))
      (loop $nextZero
        (v128.store (local.get $words) (v128.const i32x4 0 0 0 0))
        (br_if $nextZero
          (i32.lt_u
            (local.tee $words (i32.add (local.get $words) (i32.const 16)))
            (i32.add (local.get $to) (local.get $recordBytes)))))
      (local.set $words (i32.add (local.get $scratch) (i32.const 16)))
      (if (local.get $mixes)
        (then
          (local.get $matrix)
          (call $circle (call $between (i32.add (local.get $scratch) (i32.const 56)) (local.get $hueFrom) (local.get $hueSpan)))
          (call $hue)))
      (call $colours
        (local.get $to)
        (i32.add (local.get $means) (i32.shl (i32.mul (local.get $row) (local.get $C)) (i32.const 2)))
        (local.get $channels) (local.get $gains)
        (select (local.get $matrix) (i32.const 0) (local.get $mixes))
        (local.get $C) (local.get $recolours)
        (call $between (i32.add (local.get $scratch) (i32.const 48)) (local.get $contrastFrom) (local.get $contrastSpan))
        (call $between (i32.add (local.get $scratch) (i32.const 52)) (local.get $brightnessFrom) (local.get $brightnessSpan))
        (local.get $gainFrom) (local.get $gainSpan)
        (local.get $fill) (local.get $cutFill) (local.get $fillsMean) (local.get $cutsMean))
      (local.set $rows (i32.add (local.get $rows) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (local.get $recordBytes)))
      (br_if $next (i32.lt_u (local.tee $v (i32.add (local.get $v) (i32.const 1))) (local.get $V)))))
)
