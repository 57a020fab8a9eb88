(** The integer functions as an OCaml program, for the comparison with the Python.

    Z becomes Zarith's. That mapping, and the floor division given below, are trusted, and nothing
    else: the functions are those that the theorems speak of. *)

From Coq Require Import ZArith.
Require Import ExtrOcamlBasic ExtrOcamlZBigInt.
From Kernel Require Import Units Recovery Posture Exponential Curves Survival.

(** Euclid's division is the floor where the divisor is positive, and here it always is. *)
Extract Constant Z.div => "Big_int_Z.div_big_int".
Extract Constant Z.modulo => "Big_int_Z.mod_big_int".

(** [mul] is taken by Z. *)
Definition product := Units.mul.

Extraction "curves.ml" structural_decay_bible structural_decay_specification environment_bible
  environment_specification capital micro_bible latency_specification jitter_specification
  depth_specification exp_down exp_up decade_down product recovery_step recovered lower rank called
  effective counted target.
