;; common.wat: joined into other modules: vectors that are not full, and copies. Elements are words of 32 bits.
;;
;; Edges      `loadSome` and `storeSome` touch the first `count` elements only, 0 to 3 of them: those behind may belong
;;            to somebody else, or to another thread.

  (func $loadSome (param $from i32) (param $count i32) (param $rest v128) (result v128)
    (if (i32.gt_s (local.get $count) (i32.const 0))
      (then (local.set $rest (v128.load32_lane 0 (local.get $from) (local.get $rest)))))
    (if (i32.gt_s (local.get $count) (i32.const 1))
      (then (local.set $rest (v128.load32_lane offset=4 1 (local.get $from) (local.get $rest)))))
    (if (i32.gt_s (local.get $count) (i32.const 2))
      (then (local.set $rest (v128.load32_lane offset=8 2 (local.get $from) (local.get $rest)))))
    (local.get $rest))

  (func $storeSome (param $to i32) (param $count i32) (param $value v128)
    (if (i32.gt_s (local.get $count) (i32.const 0))
      (then (v128.store32_lane 0 (local.get $to) (local.get $value))))
    (if (i32.gt_s (local.get $count) (i32.const 1))
      (then (v128.store32_lane offset=4 1 (local.get $to) (local.get $value))))
    (if (i32.gt_s (local.get $count) (i32.const 2))
      (then (v128.store32_lane offset=8 2 (local.get $to) (local.get $value)))))

  (func $copyElements (param $from i32) (param $to i32) (param $count i32)
    (block $done
      (loop $nextQuad
        (br_if $done (i32.lt_u (local.get $count) (i32.const 4)))
        (v128.store (local.get $to) (v128.load (local.get $from)))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 4)))
        (br $nextQuad)))
    (call $storeSome (local.get $to) (local.get $count)
      (call $loadSome (local.get $from) (local.get $count) (i32x4.splat (i32.const 0)))))

  (func $fillElements (param $to i32) (param $count i32) (param $value v128)
    (block $done
      (loop $nextQuad
        (br_if $done (i32.lt_u (local.get $count) (i32.const 4)))
        (v128.store (local.get $to) (local.get $value))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 4)))
        (br $nextQuad)))
    (call $storeSome (local.get $to) (local.get $count) (local.get $value)))

  ;; Four, or the first `count` of them where there are fewer; the others are 0.
  (func $loadQuad (param $from i32) (param $count i32) (result v128)
    (if (result v128) (i32.ge_s (local.get $count) (i32.const 4))
      (then (v128.load (local.get $from)))
      (else (call $loadSome (local.get $from) (local.get $count) (i32x4.splat (i32.const 0))))))

  (func $storeQuad (param $to i32) (param $count i32) (param $value v128)
    (if (i32.ge_s (local.get $count) (i32.const 4))
      (then (v128.store (local.get $to) (local.get $value)))
      (else (call $storeSome (local.get $to) (local.get $count) (local.get $value)))))
