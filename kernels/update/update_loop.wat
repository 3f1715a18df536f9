;; update_loop.wat: joined behind the table of an optimizer's rules: a step of each rule, in place, over blocks of rows.
;;
;; Rows        NAME, and statements that make $p, $a, $b, $c (parameter and up to three slots) of what they were and of $g,
;;             the gradient, for four elements. `$begin` of the optimizer has put the rest into globals.
;; Parameters  parameter, slots, gradient: each an address, and bytes from one row to the next; rows, columns; the address
;;             of the parameter's rate and step in the optimizer's state (u32); how many steps of this parameter come
;;             before it in the same replay; up to seven settings. Exports: NAME0 to NAME3, for so many slots.
;; Edges       what is left of a row (1 to 3 elements) is loaded and stored one by one: nothing beside it is written
;; Reference   lib/ops/update/update.ts
  ;; for each row
  (func $NAME
    (param $slots i32) (param $ofP i32) (param $pPitch i32) (param $ofA i32) (param $aPitch i32)
    (param $ofB i32) (param $bPitch i32) (param $ofC i32) (param $cPitch i32) (param $ofG i32) (param $gPitch i32)
    (param $rows i32) (param $columns i32)
    (local $p v128) (local $a v128) (local $b v128) (local $c v128) (local $g v128) (local $at i32) (local $left i32)
    (loop $nextRow
      (local.set $at (i32.const 0))
      (local.set $left (local.get $columns))
      (loop $nextQuad
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then
            (local.set $p (v128.load (i32.add (local.get $ofP) (local.get $at))))
            (local.set $g (v128.load (i32.add (local.get $ofG) (local.get $at))))
            (if (i32.gt_u (local.get $slots) (i32.const 0))
              (then (local.set $a (v128.load (i32.add (local.get $ofA) (local.get $at))))))
            (if (i32.gt_u (local.get $slots) (i32.const 1))
              (then (local.set $b (v128.load (i32.add (local.get $ofB) (local.get $at))))))
            (if (i32.gt_u (local.get $slots) (i32.const 2))
              (then (local.set $c (v128.load (i32.add (local.get $ofC) (local.get $at)))))))
          (else
            (local.set $p
              (call $loadSome (i32.add (local.get $ofP) (local.get $at)) (local.get $left) (local.get $p)))
            (local.set $g
              (call $loadSome (i32.add (local.get $ofG) (local.get $at)) (local.get $left) (local.get $g)))
            (if (i32.gt_u (local.get $slots) (i32.const 0))
              (then (local.set $a
                (call $loadSome (i32.add (local.get $ofA) (local.get $at)) (local.get $left) (local.get $a)))))
            (if (i32.gt_u (local.get $slots) (i32.const 1))
              (then (local.set $b
                (call $loadSome (i32.add (local.get $ofB) (local.get $at)) (local.get $left) (local.get $b)))))
            (if (i32.gt_u (local.get $slots) (i32.const 2))
              (then (local.set $c
                (call $loadSome (i32.add (local.get $ofC) (local.get $at)) (local.get $left) (local.get $c)))))))
        VALUE
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then
            (v128.store (i32.add (local.get $ofP) (local.get $at)) (local.get $p))
            (if (i32.gt_u (local.get $slots) (i32.const 0))
              (then (v128.store (i32.add (local.get $ofA) (local.get $at)) (local.get $a))))
            (if (i32.gt_u (local.get $slots) (i32.const 1))
              (then (v128.store (i32.add (local.get $ofB) (local.get $at)) (local.get $b))))
            (if (i32.gt_u (local.get $slots) (i32.const 2))
              (then (v128.store (i32.add (local.get $ofC) (local.get $at)) (local.get $c))))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br_if $nextQuad (local.tee $left (i32.sub (local.get $left) (i32.const 4)))))
          (else
            (call $storeSome (i32.add (local.get $ofP) (local.get $at)) (local.get $left) (local.get $p))
            (if (i32.gt_u (local.get $slots) (i32.const 0))
              (then (call $storeSome (i32.add (local.get $ofA) (local.get $at)) (local.get $left) (local.get $a))))
            (if (i32.gt_u (local.get $slots) (i32.const 1))
              (then (call $storeSome (i32.add (local.get $ofB) (local.get $at)) (local.get $left) (local.get $b))))
            (if (i32.gt_u (local.get $slots) (i32.const 2))
              (then (call $storeSome (i32.add (local.get $ofC) (local.get $at)) (local.get $left) (local.get $c)))))))
      (local.set $ofP (i32.add (local.get $ofP) (local.get $pPitch)))
      (local.set $ofA (i32.add (local.get $ofA) (local.get $aPitch)))
      (local.set $ofB (i32.add (local.get $ofB) (local.get $bPitch)))
      (local.set $ofC (i32.add (local.get $ofC) (local.get $cPitch)))
      (local.set $ofG (i32.add (local.get $ofG) (local.get $gPitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  (func (export "NAME0")
    (param $p i32) (param $pPitch i32) (param $g i32) (param $gPitch i32) (param $rows i32) (param $columns i32)
    (param $state i32) (param $ahead i32) (param $0 f64) (param $1 f64) (param $2 f64) (param $3 f64) (param $4 f64)
    (param $5 f64) (param $6 f64)
    (call $begin (local.get $state) (local.get $ahead) (local.get $0) (local.get $1) (local.get $2) (local.get $3)
      (local.get $4) (local.get $5) (local.get $6))
    (call $NAME (i32.const 0) (local.get $p) (local.get $pPitch)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (local.get $g) (local.get $gPitch) (local.get $rows) (local.get $columns)))

  (func (export "NAME1")
    (param $p i32) (param $pPitch i32) (param $a i32) (param $aPitch i32) (param $g i32) (param $gPitch i32)
    (param $rows i32) (param $columns i32)
    (param $state i32) (param $ahead i32) (param $0 f64) (param $1 f64) (param $2 f64) (param $3 f64) (param $4 f64)
    (param $5 f64) (param $6 f64)
    (call $begin (local.get $state) (local.get $ahead) (local.get $0) (local.get $1) (local.get $2) (local.get $3)
      (local.get $4) (local.get $5) (local.get $6))
    (call $NAME (i32.const 1) (local.get $p) (local.get $pPitch) (local.get $a) (local.get $aPitch)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (local.get $g) (local.get $gPitch) (local.get $rows) (local.get $columns)))

  (func (export "NAME2")
    (param $p i32) (param $pPitch i32) (param $a i32) (param $aPitch i32) (param $b i32) (param $bPitch i32)
    (param $g i32) (param $gPitch i32) (param $rows i32) (param $columns i32)
    (param $state i32) (param $ahead i32) (param $0 f64) (param $1 f64) (param $2 f64) (param $3 f64) (param $4 f64)
    (param $5 f64) (param $6 f64)
    (call $begin (local.get $state) (local.get $ahead) (local.get $0) (local.get $1) (local.get $2) (local.get $3)
      (local.get $4) (local.get $5) (local.get $6))
    (call $NAME (i32.const 2) (local.get $p) (local.get $pPitch) (local.get $a) (local.get $aPitch)
      (local.get $b) (local.get $bPitch) (i32.const 0) (i32.const 0)
      (local.get $g) (local.get $gPitch) (local.get $rows) (local.get $columns)))

  (func (export "NAME3")
    (param $p i32) (param $pPitch i32) (param $a i32) (param $aPitch i32) (param $b i32) (param $bPitch i32)
    (param $c i32) (param $cPitch i32) (param $g i32) (param $gPitch i32) (param $rows i32) (param $columns i32)
    (param $state i32) (param $ahead i32) (param $0 f64) (param $1 f64) (param $2 f64) (param $3 f64) (param $4 f64)
    (param $5 f64) (param $6 f64)
    (call $begin (local.get $state) (local.get $ahead) (local.get $0) (local.get $1) (local.get $2) (local.get $3)
      (local.get $4) (local.get $5) (local.get $6))
    (call $NAME (i32.const 3) (local.get $p) (local.get $pPitch) (local.get $a) (local.get $aPitch)
      (local.get $b) (local.get $bPitch) (local.get $c) (local.get $cPitch)
      (local.get $g) (local.get $gPitch) (local.get $rows) (local.get $columns)))
  ;; end
