(** What every file shares: the ratio's unit, the two profiles, the product that rounds down.

    Mirrors [kernel/constants.py] (PPM, Profile) and [kernel/survival.py] (mul). Python's [//] with a
    positive divisor is the floor, and so is [Z.div]. *)

From Coq Require Import ZArith Lia.
Open Scope Z_scope.

Definition PPM : Z := 1000000.

Inductive profile : Set := bible | specification.

Definition mul (a b : Z) : Z := a * b / PPM.

(** * Statements *)

(** A product of two ratios is a ratio, and never above either. *)
Definition mul_is_a_ratio : Prop :=
  forall a b, 0 <= a <= PPM -> 0 <= b <= PPM ->
    0 <= mul a b <= PPM /\ mul a b <= a /\ mul a b <= b.

(** A larger factor never makes a smaller product. *)
Definition mul_is_monotone : Prop :=
  forall a a' b b', 0 <= a <= a' -> 0 <= b <= b' -> mul a b <= mul a' b'.

(** * Proofs *)

Lemma div_floor : forall a b, 0 < b -> b * (a / b) <= a < b * (a / b) + b.
Proof.
  intros a b positive. pose proof (Z.div_mod a b) as whole. pose proof (Z.mod_pos_bound a b).
  lia.
Qed.

Lemma div_below : forall a b c, 0 < b -> a <= b * c -> a / b <= c.
Proof. intros a b c positive le. apply Z.div_le_upper_bound; lia. Qed.

Lemma div_above : forall a b c, 0 < b -> b * c <= a -> c <= a / b.
Proof. intros a b c positive le. apply Z.div_le_lower_bound; lia. Qed.

Theorem mul_is_a_ratio_holds : mul_is_a_ratio.
Proof.
  unfold mul_is_a_ratio, mul, PPM. intros a b A B.
  assert (0 <= a * b) by nia. assert (a * b <= 1000000 * a) by nia.
  assert (a * b <= 1000000 * b) by nia.
  assert (0 <= a * b / 1000000) by (apply div_above; lia).
  assert (a * b / 1000000 <= a) by (apply div_below; lia).
  assert (a * b / 1000000 <= b) by (apply div_below; lia).
  lia.
Qed.

Theorem mul_is_monotone_holds : mul_is_monotone.
Proof.
  unfold mul_is_monotone, mul, PPM. intros a a' b b' A B.
  apply Z.div_le_mono; [lia | nia].
Qed.
