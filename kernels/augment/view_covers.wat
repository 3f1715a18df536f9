;; view_covers.wat: joined into sample_views.wat: what covers pixels of a view: noise, and a square that is cut out.
;;
;; Reference   lib/ops/augment/sample-views.ts

  ;; Sets the channels of a pixel at $to to the numbers of a record from $from on.
  (func $cover (param $to i32) (param $from i32) (param $C i32) (param $plane i32)
    (local $c i32)
    (loop $next
      (f32.store (local.get $to) (f32.load (local.get $from)))
      (local.set $to
        (i32.add (local.get $to) (select (local.get $plane) (i32.const 4) (local.get $plane))))
      (local.set $c (i32.add (local.get $c) (i32.const 1)))
      ;; Four channels lie together, those behind them 96 bytes further.
      (local.set $from
        (i32.add (local.get $from)
          (select (i32.const 4) (i32.const 84) (i32.and (local.get $c) (i32.const 3)))))
      (br_if $next (i32.lt_u (local.get $c) (local.get $C)))))

  ;; Noise in a view of so many pixels.
  (func $noise
    (param $to i32) (param $record i32) (param $pixels i32) (param $C i32) (param $plane i32) (param $stream i32)
    (param $scratch i32)
    (local $pixel i32) (local $below i32) (local $bits i32) (local $step i32)
    (local.set $below (i32.trunc_sat_f32_u (f32.load offset=44 (local.get $record))))
    (if (i32.eqz (local.get $below)) (then (return)))
    (local.set $step
      (select (i32.const 4) (i32.shl (local.get $C) (i32.const 2)) (local.get $plane)))
    ;; A generator's state: the key, and step 0.
    (i32.store offset=64 (local.get $scratch) (i32.trunc_sat_f32_u (f32.load offset=48 (local.get $record))))
    (i32.store offset=68 (local.get $scratch) (i32.trunc_sat_f32_u (f32.load offset=52 (local.get $record))))
    (i32.store offset=72 (local.get $scratch) (i32.const 0))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $pixel) (local.get $pixels)))
        (if (i32.eqz (i32.and (local.get $pixel) (i32.const 15)))
          (then
            (call $drawBlocks
              (i32.shr_u (local.get $pixel) (i32.const 2))
              (i32.add (local.get $scratch) (i32.const 64)) (local.get $stream) (i32.const 0) (local.get $scratch))))
        (local.set $bits
          (i32.load
            (i32.add (local.get $scratch) (i32.shl (i32.and (local.get $pixel) (i32.const 15)) (i32.const 2)))))
        (if (i32.lt_u (i32.shr_u (local.get $bits) (i32.const 8)) (local.get $below))
          (then
            ;; `low` or `high`
            (call $cover
              (local.get $to)
              (i32.add (local.get $record)
                (select (i32.const 112) (i32.const 96) (i32.and (local.get $bits) (i32.const 1))))
              (local.get $C) (local.get $plane))))
        (local.set $to (i32.add (local.get $to) (local.get $step)))
        (local.set $pixel (i32.add (local.get $pixel) (i32.const 1)))
        (br $next))))

  ;; The first whole number from $place on, within 0 … $size.
  (func $from (param $place f32) (param $size i32) (result i32)
    (local $whole i32)
    (local.set $whole (i32.trunc_sat_f32_s (f32.ceil (local.get $place))))
    (local.set $whole (select (local.get $whole) (i32.const 0) (i32.gt_s (local.get $whole) (i32.const 0))))
    (select (local.get $whole) (local.get $size) (i32.lt_s (local.get $whole) (local.get $size))))

  ;; Cuts a square out of a view.
  (func $cut
    (param $to i32) (param $record i32) (param $H i32) (param $W i32) (param $C i32) (param $plane i32) (param $size f32)
    (local $x i32) (local $y i32) (local $left i32) (local $right i32) (local $below i32) (local $step i32)
    (local.set $step
      (select (i32.const 4) (i32.shl (local.get $C) (i32.const 2)) (local.get $plane)))
    (local.set $left (call $from (f32.load offset=36 (local.get $record)) (local.get $W)))
    (local.set $right
      (call $from (f32.add (f32.load offset=36 (local.get $record)) (local.get $size)) (local.get $W)))
    (local.set $y (call $from (f32.load offset=40 (local.get $record)) (local.get $H)))
    (local.set $below
      (call $from (f32.add (f32.load offset=40 (local.get $record)) (local.get $size)) (local.get $H)))
    (block $done
      (loop $nextLine
        (br_if $done (i32.ge_s (local.get $y) (local.get $below)))
        (local.set $x (local.get $left))
        (block $lineDone
          (loop $next
            (br_if $lineDone (i32.ge_s (local.get $x) (local.get $right)))
            (call $cover
              (i32.add (local.get $to)
                (i32.mul (i32.add (i32.mul (local.get $y) (local.get $W)) (local.get $x)) (local.get $step)))
              (i32.add (local.get $record) (i32.const 80))
              (local.get $C) (local.get $plane))
            (local.set $x (i32.add (local.get $x) (i32.const 1)))
            (br $next)))
        (local.set $y (i32.add (local.get $y) (i32.const 1)))
        (br $nextLine))))
