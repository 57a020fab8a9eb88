(** The total multiplier that the five categories call for.

    Mirrors [structural], [microstructure], [environment], [capital_stress] and [target] of
    [kernel/survival.py]: the closed form of several arguments, over the curves of [Curves.v].
    Bible 11.2, 11.3; specification VI.1. *)

From Coq Require Import ZArith Lia Bool.
From Kernel Require Import Units Exponential Curves.
Open Scope Z_scope.

Record readings : Set := Readings {
  status : Z; forewarner_age_ms : Z; book_age_ms : Z; shock_age_ms : Z;
  depth_quality_ppm : Z; fill_probability_ppm : Z; book_latency_ms : Z; book_jitter_ms : Z;
  drawdown_ppm : Z }.

Definition status_factor (s : Z) : Z :=
  if s =? 0 then PPM else if s =? 1 then 500000 else 100000.

Definition structural (r : readings) (p : profile) : Z :=
  let age_s := (forewarner_age_ms r + 999) / 1000 in
  match p with
  | specification => structural_decay_specification age_s
  | bible => mul (status_factor (status r)) (structural_decay_bible age_s)
  end.

Definition microstructure (r : readings) (p : profile) (book_stale_ms : Z) : Z :=
  match p with
  | specification =>
      let silence_ms := if book_stale_ms <? book_age_ms r then book_age_ms r else 0 in
      mul (mul (latency_specification (Z.max (book_latency_ms r) silence_ms))
               (jitter_specification (book_jitter_ms r)))
          (depth_specification (depth_quality_ppm r))
  | bible =>
      let shown := micro_bible (depth_quality_ppm r) (fill_probability_ppm r) in
      if book_stale_ms <? book_age_ms r then Z.min 500000 shown else shown
  end.

Definition environment (r : readings) (p : profile) : Z :=
  let age_s := shock_age_ms r / 1000 in
  match p with
  | specification => environment_specification age_s
  | bible => environment_bible age_s
  end.

Definition degraded (factor : Z) : Z := if factor <? 800000 then 1 else 0.

Definition target (killed : bool) (r : readings) (p : profile) (book_stale_ms : Z) : Z :=
  if killed then 0 else
  let two := structural r p in
  let three := microstructure r p book_stale_ms in
  let four := environment r p in
  let five := capital (drawdown_ppm r) in
  match p with
  | specification => mul (mul (mul five two) four) three
  | bible =>
      let combined := mul (mul five (Z.min two four)) three in
      if 2 <=? degraded two + degraded three + degraded four then combined / 2 else combined
  end.

Definition ratio (n : Z) : Prop := 0 <= n <= PPM.

Definition in_range (r : readings) : Prop :=
  0 <= forewarner_age_ms r /\ 0 <= book_age_ms r /\ 0 <= shock_age_ms r
  /\ ratio (depth_quality_ppm r) /\ ratio (fill_probability_ppm r)
  /\ 0 <= book_latency_ms r /\ 0 <= book_jitter_ms r /\ ratio (drawdown_ppm r).

(** * Statements *)

(** Every factor, and the target, is a ratio. *)
Definition target_is_a_ratio : Prop :=
  forall killed r p stale, in_range r ->
    ratio (structural r p) /\ ratio (microstructure r p stale) /\ ratio (environment r p)
    /\ ratio (capital (drawdown_ppm r)) /\ ratio (target killed r p stale).

(** No factor can be made up for by the others: the target is at most the least of them. *)
Definition target_below_every_factor : Prop :=
  forall killed r p stale, in_range r ->
    target killed r p stale <= structural r p
    /\ target killed r p stale <= microstructure r p stale
    /\ target killed r p stale <= environment r p
    /\ target killed r p stale <= capital (drawdown_ppm r).

(** A killed kernel is called to 0. *)
Definition killed_calls_for_nothing : Prop := forall r p stale, target true r p stale = 0.

(** Bible: with two impaired sensors twice the target is still below every factor. *)
Definition two_impaired_halve : Prop :=
  forall r stale, in_range r ->
    2 <= degraded (structural r bible) + degraded (microstructure r bible stale)
         + degraded (environment r bible) ->
    let twice := 2 * target false r bible stale in
    twice <= structural r bible /\ twice <= microstructure r bible stale
    /\ twice <= environment r bible /\ twice <= capital (drawdown_ppm r).

(** Bible: a silent book is worth at most half, and never more than the one it last showed. *)
Definition silent_book_is_bad : Prop :=
  forall r stale, stale < book_age_ms r ->
    microstructure r bible stale <= 500000
    /\ microstructure r bible stale <= micro_bible (depth_quality_ppm r) (fill_probability_ppm r).

(** More loss, all else the same, is never worth more. *)
Definition target_falls_with_drawdown : Prop :=
  forall killed r r' p stale, in_range r -> in_range r' ->
    r' = Readings (status r) (forewarner_age_ms r) (book_age_ms r) (shock_age_ms r)
           (depth_quality_ppm r) (fill_probability_ppm r) (book_latency_ms r) (book_jitter_ms r)
           (drawdown_ppm r') ->
    drawdown_ppm r <= drawdown_ppm r' ->
    target killed r' p stale <= target killed r p stale.

(** * Proofs *)

Lemma ratio_product : forall a b, ratio a -> ratio b -> ratio (mul a b).
Proof. intros a b A B. unfold ratio. apply (mul_is_a_ratio_holds a b A B). Qed.

Lemma status_factor_ratio : forall s, ratio (status_factor s).
Proof. intros s. unfold status_factor, ratio, PPM. destruct (s =? 0), (s =? 1); lia. Qed.

Lemma structural_ratio : forall r p, in_range r -> ratio (structural r p).
Proof.
  intros r p (A & _).
  assert (0 <= (forewarner_age_ms r + 999) / 1000) as N by (apply div_above; lia).
  destruct (curves_are_bounded_holds _ N) as (one & two & _).
  destruct p; unfold structural; cbv zeta.
  - apply ratio_product; [apply status_factor_ratio | exact one].
  - unfold ratio. lia.
Qed.

Lemma microstructure_ratio : forall r p stale, in_range r -> ratio (microstructure r p stale).
Proof.
  intros r p stale (_ & B & _ & D & F & L & J & _). destruct p; unfold microstructure; cbv zeta.
  - destruct (curves_are_bounded_holds _ (proj1 D)) as (_ & _ & _ & _ & _ & _ & _ & _ & micro).
    specialize (micro _ (proj2 D) F). unfold ratio, PPM in *. destruct (stale <? book_age_ms r); lia.
  - apply ratio_product; [apply ratio_product |].
    + assert (0 <= Z.max (book_latency_ms r) (if stale <? book_age_ms r then book_age_ms r else 0))
        as N by lia.
      apply (curves_are_bounded_holds _ N).
    + apply (curves_are_bounded_holds _ J).
    + apply (curves_are_bounded_holds _ (proj1 D)).
Qed.

Lemma environment_ratio : forall r p, in_range r -> ratio (environment r p).
Proof.
  intros r p (_ & _ & S & _). assert (0 <= shock_age_ms r / 1000) as N by (apply div_above; lia).
  destruct (curves_are_bounded_holds _ N) as (_ & _ & three & four & _).
  destruct p; unfold environment, ratio; cbv zeta; lia.
Qed.

Lemma capital_ratio : forall r, in_range r -> ratio (capital (drawdown_ppm r)).
Proof. intros r (_ & _ & _ & _ & _ & _ & _ & D). apply (curves_are_bounded_holds _ (proj1 D)). Qed.

Lemma min_ratio : forall a b, ratio a -> ratio b -> ratio (Z.min a b).
Proof. unfold ratio. lia. Qed.

Lemma half_ratio : forall a, ratio a -> 0 <= a / 2 <= a.
Proof. unfold ratio. intros a A. split; [apply div_above | apply div_below]; lia. Qed.

Lemma target_bounds : forall killed r p stale, in_range r ->
  0 <= target killed r p stale
  /\ target killed r p stale <= structural r p
  /\ target killed r p stale <= microstructure r p stale
  /\ target killed r p stale <= environment r p
  /\ target killed r p stale <= capital (drawdown_ppm r).
Proof.
  intros killed r p stale R. pose proof (structural_ratio r p R) as two.
  pose proof (microstructure_ratio r p stale R) as three.
  pose proof (environment_ratio r p R) as four. pose proof (capital_ratio r R) as five.
  unfold target. destruct killed; [unfold ratio in *; lia |]. cbv zeta.
  set (b := structural r p) in *. set (c := microstructure r p stale) in *.
  set (d := environment r p) in *. set (e := capital (drawdown_ppm r)) in *.
  destruct p.
  - pose proof (min_ratio b d two four) as least.
    pose proof (mul_is_a_ratio_holds e (Z.min b d) five least) as first.
    pose proof (mul_is_a_ratio_holds (mul e (Z.min b d)) c (proj1 first) three) as second.
    pose proof (half_ratio _ (proj1 second)).
    destruct (2 <=? degraded b + degraded c + degraded d); lia.
  - pose proof (mul_is_a_ratio_holds e b five two) as first.
    pose proof (mul_is_a_ratio_holds (mul e b) d (proj1 first) four) as second.
    pose proof (mul_is_a_ratio_holds (mul (mul e b) d) c (proj1 second) three) as third. lia.
Qed.

Theorem target_is_a_ratio_holds : target_is_a_ratio.
Proof.
  intros killed r p stale R. pose proof (target_bounds killed r p stale R).
  pose proof (structural_ratio r p R). pose proof (microstructure_ratio r p stale R).
  pose proof (environment_ratio r p R). pose proof (capital_ratio r R). unfold ratio in *. lia.
Qed.

Theorem target_below_every_factor_holds : target_below_every_factor.
Proof. intros killed r p stale R. apply (target_bounds killed r p stale R). Qed.

Theorem killed_calls_for_nothing_holds : killed_calls_for_nothing.
Proof. intros r p stale. reflexivity. Qed.

Theorem two_impaired_halve_holds : two_impaired_halve.
Proof.
  intros r stale R impaired. pose proof (structural_ratio r bible R) as two.
  pose proof (microstructure_ratio r bible stale R) as three.
  pose proof (environment_ratio r bible R) as four. pose proof (capital_ratio r R) as five.
  unfold target. cbv zeta. destruct (Z.leb_spec 2 (degraded (structural r bible)
    + degraded (microstructure r bible stale) + degraded (environment r bible))); [| lia].
  pose proof (min_ratio _ _ two four) as least.
  pose proof (mul_is_a_ratio_holds _ _ five least) as first.
  pose proof (mul_is_a_ratio_holds _ _ (proj1 first) three) as second.
  pose proof (div_floor (mul (mul (capital (drawdown_ppm r))
    (Z.min (structural r bible) (environment r bible))) (microstructure r bible stale)) 2). lia.
Qed.

Theorem silent_book_is_bad_holds : silent_book_is_bad.
Proof.
  intros r stale silent. unfold microstructure. cbv zeta.
  destruct (Z.ltb_spec stale (book_age_ms r)); lia.
Qed.

Theorem target_falls_with_drawdown_holds : target_falls_with_drawdown.
Proof.
  intros killed r r' p stale R R' same deeper.
  pose proof (structural_ratio r p R) as two. pose proof (microstructure_ratio r p stale R) as three.
  pose proof (environment_ratio r p R) as four. pose proof (capital_ratio r R) as five.
  pose proof (capital_ratio r' R') as five'.
  assert (capital (drawdown_ppm r') <= capital (drawdown_ppm r)) as falls.
  { destruct R as (_ & _ & _ & _ & _ & _ & _ & D).
    apply (curves_are_monotone_holds _ _ (conj (proj1 D) deeper)). }
  assert (structural r' p = structural r p) as two' by (rewrite same; reflexivity).
  assert (microstructure r' p stale = microstructure r p stale) as three'
    by (rewrite same; reflexivity).
  assert (environment r' p = environment r p) as four' by (rewrite same; reflexivity).
  unfold target. destruct killed; [lia |]. cbv zeta. rewrite two', three', four'.
  set (b := structural r p) in *. set (c := microstructure r p stale) in *.
  set (d := environment r p) in *. set (e := capital (drawdown_ppm r)) in *.
  set (e' := capital (drawdown_ppm r')) in *.
  assert (forall x y f, ratio f -> 0 <= x <= y -> 0 <= mul x f <= mul y f) as through.
  { intros x y f [F _] X. split.
    - unfold mul, PPM. apply div_above; nia.
    - apply mul_is_monotone_holds; lia. }
  unfold ratio in five, five'.
  destruct p.
  - pose proof (through _ _ _ three (through e' e _ (min_ratio b d two four) ltac:(lia))) as le.
    destruct (2 <=? degraded b + degraded c + degraded d); [| lia].
    apply Z.div_le_mono; lia.
  - pose proof (through _ _ _ three (through _ _ _ four (through e' e b two ltac:(lia)))). lia.
Qed.
