;; view_colours.wat: joined into draw_views.wat: what becomes of the colours of a view, as vectors of its record.
;;
;; Reference   lib/ops/augment/draw-views.ts, lib/ops/augment/view-record.ts

  ;; A turn of the colour wheel as a matrix, by rows, to $to: feColorMatrix of W3C's "Filter effects module level 1".
  (func $hue (param $to i32) (param $cos f32) (param $sin f32)
    (f32.store offset=0 (local.get $to)
      (f32.add (f32.const 0.213)
        (f32.add (f32.mul (local.get $cos) (f32.const 0.787)) (f32.mul (local.get $sin) (f32.const -0.213)))))
    (f32.store offset=4 (local.get $to)
      (f32.add (f32.const 0.715)
        (f32.add (f32.mul (local.get $cos) (f32.const -0.715)) (f32.mul (local.get $sin) (f32.const -0.715)))))
    (f32.store offset=8 (local.get $to)
      (f32.add (f32.const 0.072)
        (f32.add (f32.mul (local.get $cos) (f32.const -0.072)) (f32.mul (local.get $sin) (f32.const 0.928)))))
    (f32.store offset=12 (local.get $to)
      (f32.add (f32.const 0.213)
        (f32.add (f32.mul (local.get $cos) (f32.const -0.213)) (f32.mul (local.get $sin) (f32.const 0.143)))))
    (f32.store offset=16 (local.get $to)
      (f32.add (f32.const 0.715)
        (f32.add (f32.mul (local.get $cos) (f32.const 0.285)) (f32.mul (local.get $sin) (f32.const 0.14)))))
    (f32.store offset=20 (local.get $to)
      (f32.add (f32.const 0.072)
        (f32.add (f32.mul (local.get $cos) (f32.const -0.072)) (f32.mul (local.get $sin) (f32.const -0.283)))))
    (f32.store offset=24 (local.get $to)
      (f32.add (f32.const 0.213)
        (f32.add (f32.mul (local.get $cos) (f32.const -0.213)) (f32.mul (local.get $sin) (f32.const -0.787)))))
    (f32.store offset=28 (local.get $to)
      (f32.add (f32.const 0.715)
        (f32.add (f32.mul (local.get $cos) (f32.const -0.715)) (f32.mul (local.get $sin) (f32.const 0.715)))))
    (f32.store offset=32 (local.get $to)
      (f32.add (f32.const 0.072)
        (f32.add (f32.mul (local.get $cos) (f32.const 0.928)) (f32.mul (local.get $sin) (f32.const 0.072))))))

  ;; The numbers of a record's vectors. $average: the picture's means; $gains: the words of the channels' gains; $matrix: of the
  ;; hue, or 0.
  (func $colours
    (param $record i32) (param $average i32) (param $channels i32) (param $gains i32) (param $matrix i32) (param $C i32)
    (param $recolours i32) (param $contrast f32) (param $brightness f32) (param $gainFrom f32) (param $gainSpan f32)
    (param $fill f32) (param $cutFill f32) (param $fillsMean i32) (param $cutsMean i32)
    (local $c i32) (local $j i32) (local $own i32) (local $at i32) (local $grey f32) (local $mean f32) (local $deviation f32)
    (local $added f32) (local $sum f32) (local $ofMeans f32) (local $factor f32) (local $plane i32)
    (local.set $plane (i32.shl (local.get $C) (i32.const 2)))
    (loop $next
      (local.set $at (i32.add (local.get $channels) (i32.shl (local.get $c) (i32.const 2))))
      (local.set $own (i32.add (local.get $at) (local.get $plane)))
      (local.set $grey
        (f32.add (local.get $grey)
          (f32.mul (f32.load (local.get $at))
            (f32.add
              (f32.mul
                (f32.load (i32.add (local.get $average) (i32.shl (local.get $c) (i32.const 2))))
                (f32.load (i32.add (local.get $own) (local.get $plane))))
              (f32.load (local.get $own))))))
      (br_if $next (i32.lt_u (local.tee $c (i32.add (local.get $c) (i32.const 1))) (local.get $C))))
    (local.set $c (i32.const 0))
    (loop $nextChannel
      (local.set $at
        (i32.add (local.get $channels) (i32.add (local.get $plane) (i32.shl (local.get $c) (i32.const 2)))))
      (local.set $mean (f32.load (local.get $at)))
      (local.set $deviation (f32.load (i32.add (local.get $at) (local.get $plane))))
      (local.set $own
        (i32.add (local.get $record)
          (i32.add
            (i32.mul (i32.shr_u (local.get $c) (i32.const 2)) (i32.const 96))
            (i32.shl (i32.and (local.get $c) (i32.const 3)) (i32.const 2)))))
      (local.set $sum (f32.const 0))
      (local.set $ofMeans (f32.const 0))
      ;; From the channel itself, or from all three of them.
      (local.set $j (select (i32.const 0) (local.get $c) (local.get $matrix)))
      (loop $nextFrom
        (local.set $factor
          (f32.mul (local.get $brightness)
            (call $between
              (i32.add (local.get $gains) (i32.shl (local.get $j) (i32.const 2)))
              (local.get $gainFrom) (local.get $gainSpan))))
        (if (local.get $matrix)
          (then
            (local.set $factor
              (f32.mul (local.get $factor)
                (f32.load
                  (i32.add (local.get $matrix)
                    (i32.shl (i32.add (i32.mul (local.get $c) (i32.const 3)) (local.get $j)) (i32.const 2))))))))
        (local.set $sum (f32.add (local.get $sum) (local.get $factor)))
        (local.set $factor (f32.mul (local.get $factor) (local.get $contrast)))
        (local.set $at
          (i32.add (local.get $channels) (i32.add (local.get $plane) (i32.shl (local.get $j) (i32.const 2)))))
        (local.set $ofMeans
          (f32.add (local.get $ofMeans) (f32.mul (local.get $factor) (f32.load (local.get $at)))))
        (f32.store offset=144
          (i32.add (local.get $own)
            (select (i32.shl (local.get $j) (i32.const 4)) (i32.const 0) (local.get $matrix)))
          (f32.div
            (f32.mul (local.get $factor) (f32.load (i32.add (local.get $at) (local.get $plane))))
            (local.get $deviation)))
        (local.set $j (i32.add (local.get $j) (i32.const 1)))
        (br_if $nextFrom (i32.and (local.get $matrix) (i32.sub (i32.const 0) (i32.lt_u (local.get $j) (i32.const 3))))))
      (local.set $added
        (f32.mul
          (f32.mul (f32.sub (f32.const 1) (local.get $contrast)) (local.get $sum))
          (local.get $grey)))
      ;; The cut-out, first as a value.
      (local.set $factor (local.get $cutFill))
      (if (local.get $cutsMean)
        (then
          (local.set $factor
            (f32.add (f32.mul (f32.mul (local.get $sum) (local.get $contrast)) (local.get $grey)) (local.get $added)))
          (if (local.get $recolours)
            (then
              (local.set $factor
                (f32.min (f32.max (local.get $factor) (f32.const 0)) (f32.const 1)))))))
      (f32.store offset=80 (local.get $own)
        (f32.div (f32.sub (local.get $factor) (local.get $mean)) (local.get $deviation)))
      (f32.store offset=64 (local.get $own)
        (if (result f32) (local.get $fillsMean)
          (then (f32.load (i32.add (local.get $average) (i32.shl (local.get $c) (i32.const 2)))))
          (else (f32.div (f32.sub (local.get $fill) (local.get $mean)) (local.get $deviation)))))
      (f32.store offset=96 (local.get $own) (f32.div (f32.neg (local.get $mean)) (local.get $deviation)))
      (f32.store offset=112 (local.get $own)
        (f32.div (f32.sub (f32.const 1) (local.get $mean)) (local.get $deviation)))
      (f32.store offset=128 (local.get $own)
        (f32.div
          (f32.sub (f32.add (local.get $ofMeans) (local.get $added)) (local.get $mean))
          (local.get $deviation)))
      (br_if $nextChannel (i32.lt_u (local.tee $c (i32.add (local.get $c) (i32.const 1))) (local.get $C)))))
