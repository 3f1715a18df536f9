;; update_1.wat: joined behind the table of an optimizer's rules with one slot: a step of each rule, in place, over a block.
;;
;; Rows        NAME, and statements that make $p, $a (the parameter and its slots) of what they were and of $g, the gradient,
;;             for four elements. `$begin` of the optimizer has made the rest: $k0 to $k6.
;; Parameters  parameter, slots, gradient: each an address, and bytes from one row to the next; rows, columns; the address of the
;;             parameter's words in the optimizer's state (u32); how many steps of this parameter come before it in
;;             the same replay; up to seven settings
;; Skips       where the rate is 0xffffffff (lib/ops/update/loss-scale.ts)
;; Edges       what is left of a row (1 to 3 elements) is loaded and stored one by one, outside of the loop: with a call in a
;;             loop V8 keeps all constants on the stack, and an element takes 2.7 times as long
;; Reference   lib/ops/update/update.ts
  ;; for each row
  (func (export "NAME")
    (param $pRow i32) (param $pPitch i32) (param $aRow i32) (param $aPitch i32)
    (param $gRow i32) (param $gPitch i32) (param $rows i32) (param $columns i32) (param $state i32) (param $ahead i32)
    (param $0 f64) (param $1 f64) (param $2 f64) (param $3 f64) (param $4 f64) (param $5 f64) (param $6 f64)
    (local $p v128) (local $ofP i32) (local $g v128) (local $ofG i32) (local $a v128) (local $ofA i32) (local $left i32)
    (local $k0 v128) (local $k1 v128) (local $k2 v128) (local $k3 v128) (local $k4 v128) (local $k5 v128) (local $k6 v128)
    (if (i32.eq (i32.load (local.get $state)) (i32.const -1)) (then (return)))
    (call $begin (local.get $state) (local.get $ahead) (local.get $0) (local.get $1) (local.get $2) (local.get $3)
      (local.get $4) (local.get $5) (local.get $6))
    (local.set $k0 (global.get $k0))
    (local.set $k1 (global.get $k1))
    (local.set $k2 (global.get $k2))
    (local.set $k3 (global.get $k3))
    (local.set $k4 (global.get $k4))
    (local.set $k5 (global.get $k5))
    (local.set $k6 (global.get $k6))
    (loop $nextRow
      (local.set $ofP (local.get $pRow))
      (local.set $ofA (local.get $aRow))
      (local.set $ofG (local.get $gRow))
      (local.set $left (local.get $columns))
      (block $whole
        (loop $nextQuad
          (br_if $whole (i32.lt_u (local.get $left) (i32.const 4)))
          (local.set $p (v128.load (local.get $ofP)))
          (local.set $a (v128.load (local.get $ofA)))
          (local.set $g (v128.load (local.get $ofG)))
          VALUE
          (v128.store (local.get $ofP) (local.get $p))
          (v128.store (local.get $ofA) (local.get $a))
          (local.set $ofP (i32.add (local.get $ofP) (i32.const 16)))
          (local.set $ofA (i32.add (local.get $ofA) (i32.const 16)))
          (local.set $ofG (i32.add (local.get $ofG) (i32.const 16)))
          (local.set $left (i32.sub (local.get $left) (i32.const 4)))
          (br $nextQuad)))
      (if (local.get $left)
        (then
          (local.set $p (call $loadSome (local.get $ofP) (local.get $left) (local.get $p)))
          (local.set $a (call $loadSome (local.get $ofA) (local.get $left) (local.get $a)))
          (local.set $g (call $loadSome (local.get $ofG) (local.get $left) (local.get $g)))
          VALUE
          (call $storeSome (local.get $ofP) (local.get $left) (local.get $p))
          (call $storeSome (local.get $ofA) (local.get $left) (local.get $a))))
      (local.set $pRow (i32.add (local.get $pRow) (local.get $pPitch)))
      (local.set $aRow (i32.add (local.get $aRow) (local.get $aPitch)))
      (local.set $gRow (i32.add (local.get $gRow) (local.get $gPitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
  ;; end
