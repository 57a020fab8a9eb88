(** The survival curves: conservative, bounded, monotone.

    Each curve stands twice: [*_true] is the formula of the seeds over the reals (bible 11.2,
    specification VI), and the name of [kernel/curves.py] is its integer mirror. Conservative means: the
    integer, in ppm, is never above the true value, and less than 1 + 1.3e-11 ppm below it. That
    the floor is exact (less than 1 ppm) is seen by [tests/kernel/curve_check.py] on every input. *)

From Coq Require Import ZArith Lia Reals Lra.
From Kernel Require Import Units Exponential.
Open Scope Z_scope.

Definition AGE_S_MAX : Z := 1000000.
Definition LATENCY_MS_MAX : Z := 60000.

Definition structural_decay_bible (age_s : Z) : Z :=
  let stale_s := Z.max 0 (Z.min age_s AGE_S_MAX - 21600) in
  exp_down (250 * stale_s) * PPM / ONE.

Definition structural_decay_specification (age_s : Z) : Z :=
  if 7200 <=? age_s then 100000
  else decade_down (Z.max 0 (age_s - 30)) * PPM / ONE.

Definition environment_bible (age_s : Z) : Z :=
  let remaining := exp_up (750 * Z.min age_s AGE_S_MAX) in
  300000 + (PPM - 300000) * (ONE - remaining) / ONE.

Definition environment_specification (age_s : Z) : Z :=
  let cooled_s := Z.min age_s 3600 in
  300000 + (PPM - 300000) * cooled_s / 3600.

Definition capital (drawdown_ppm : Z) : Z :=
  if drawdown_ppm <? 120000 then
    PPM * ONE / (ONE + exp_up (81 * (120000 - drawdown_ppm)))
  else
    let below := exp_down (81 * (drawdown_ppm - 120000)) in
    PPM * below / (ONE + below).

Definition micro_bible (depth_ppm fill_ppm : Z) : Z :=
  300000 + (PPM - 300000) * Z.min depth_ppm fill_ppm / PPM.

Definition latency_specification (latency_ms : Z) : Z :=
  let late_ms := Z.max 0 (Z.min latency_ms LATENCY_MS_MAX - 200) in
  exp_down (2700 * late_ms) * PPM / ONE.

Definition jitter_specification (jitter_ms : Z) : Z :=
  let rough_ms := Z.max 0 (Z.min jitter_ms LATENCY_MS_MAX - 50) in
  exp_down (10800 * rough_ms) * PPM / ONE.

Definition depth_specification (depth_ppm : Z) : Z :=
  Z.min depth_ppm 800000 * PPM / 800000.

Open Scope R_scope.

(** The true ones. Ages in seconds, latency and jitter in ms, ratios in 0..1. *)
Definition structural_decay_bible_true (age_s : R) : R := exp (- Rmax 0 (age_s / 3600 - 6) / 3).
Definition structural_decay_specification_true (age_s : R) : R :=
  Rpower 10 (- (Rmax 0 (Rmin age_s 7200 - 30) / 7170)).
Definition environment_bible_true (age_s : R) : R := 3 / 10 + 7 / 10 * (1 - exp (- (age_s / 60 / 60))).
Definition environment_specification_true (age_s : R) : R :=
  3 / 10 + 7 / 10 * (Rmin (age_s / 60) 60 / 60).
Definition capital_true (drawdown : R) : R := / (1 + exp (30 * (drawdown - 12 / 100))).
Definition micro_bible_true (depth fill : R) : R := 3 / 10 + 7 / 10 * Rmin depth fill.
Definition latency_specification_true (ms : R) : R := exp (- Rmax 0 (ms - 200) / 1000).
Definition jitter_specification_true (ms : R) : R := exp (- Rmax 0 (ms - 50) / 250).
Definition depth_specification_true (depth : R) : R := Rmin depth (8 / 10) / (8 / 10).

(** Less than this below the true value, ppm. *)
Definition BELOW : R := 1 + 13 / 1000000000000.

Definition conservative (value : Z) (truth : R) : Prop :=
  IZR value <= IZR PPM * truth < IZR value + BELOW.

(** * Statements *)

Definition structural_decay_bible_is_conservative : Prop :=
  forall age, (0 <= age <= AGE_S_MAX)%Z ->
    conservative (structural_decay_bible age) (structural_decay_bible_true (IZR age)).

Definition structural_decay_specification_is_conservative : Prop :=
  forall age, (0 <= age)%Z ->
    conservative (structural_decay_specification age)
      (structural_decay_specification_true (IZR age)).

Definition environment_bible_is_conservative : Prop :=
  forall age, (0 <= age <= AGE_S_MAX)%Z ->
    conservative (environment_bible age) (environment_bible_true (IZR age)).

Definition environment_specification_is_conservative : Prop :=
  forall age, (0 <= age)%Z ->
    conservative (environment_specification age) (environment_specification_true (IZR age)).

Definition capital_is_conservative : Prop :=
  forall drawdown, (0 <= drawdown <= PPM)%Z ->
    conservative (capital drawdown) (capital_true (IZR drawdown / IZR PPM)).

Definition micro_bible_is_conservative : Prop :=
  forall depth fill, (0 <= depth <= PPM)%Z -> (0 <= fill <= PPM)%Z ->
    conservative (micro_bible depth fill)
      (micro_bible_true (IZR depth / IZR PPM) (IZR fill / IZR PPM)).

Definition latency_specification_is_conservative : Prop :=
  forall ms, (0 <= ms <= LATENCY_MS_MAX)%Z ->
    conservative (latency_specification ms) (latency_specification_true (IZR ms)).

Definition jitter_specification_is_conservative : Prop :=
  forall ms, (0 <= ms <= LATENCY_MS_MAX)%Z ->
    conservative (jitter_specification ms) (jitter_specification_true (IZR ms)).

Definition depth_specification_is_conservative : Prop :=
  forall depth, (0 <= depth <= PPM)%Z ->
    conservative (depth_specification depth) (depth_specification_true (IZR depth / IZR PPM)).

(** Every curve stays between its floor and 1, for every input from 0 up. *)
Definition curves_are_bounded : Prop :=
  forall n, (0 <= n)%Z ->
    (0 <= structural_decay_bible n <= PPM)%Z
    /\ (100000 <= structural_decay_specification n <= PPM)%Z
    /\ (300000 <= environment_bible n <= PPM)%Z
    /\ (300000 <= environment_specification n <= PPM)%Z
    /\ (0 <= capital n <= PPM)%Z
    /\ (0 <= latency_specification n <= PPM)%Z
    /\ (0 <= jitter_specification n <= PPM)%Z
    /\ (0 <= depth_specification n <= PPM)%Z
    /\ (forall fill, (n <= PPM)%Z -> (0 <= fill <= PPM)%Z ->
          (300000 <= micro_bible n fill <= PPM)%Z).

(** Older, slower, thinner or deeper in loss is never worth more. *)
Definition curves_are_monotone : Prop :=
  forall m n, (0 <= m <= n)%Z ->
    (structural_decay_bible n <= structural_decay_bible m)%Z
    /\ (structural_decay_specification n <= structural_decay_specification m)%Z
    /\ (environment_bible m <= environment_bible n)%Z
    /\ (environment_specification m <= environment_specification n)%Z
    /\ (capital n <= capital m)%Z
    /\ (latency_specification n <= latency_specification m)%Z
    /\ (jitter_specification n <= jitter_specification m)%Z
    /\ (depth_specification m <= depth_specification n)%Z
    /\ (forall fill fill', (0 <= fill <= fill')%Z -> (micro_bible m fill <= micro_bible n fill')%Z).

(** The seeds' own formulas move the same way. *)
Definition true_curves_are_monotone : Prop :=
  forall x y, x <= y ->
    structural_decay_bible_true y <= structural_decay_bible_true x
    /\ structural_decay_specification_true y <= structural_decay_specification_true x
    /\ environment_bible_true x <= environment_bible_true y
    /\ environment_specification_true x <= environment_specification_true y
    /\ capital_true y <= capital_true x
    /\ latency_specification_true y <= latency_specification_true x
    /\ jitter_specification_true y <= jitter_specification_true x
    /\ depth_specification_true x <= depth_specification_true y.

(** * Proofs: the true curves *)

Lemma scaled_max : forall a b k, 0 <= k -> a <= b -> Rmax 0 a * k <= Rmax 0 b * k.
Proof.
  intros a b k K le. apply Rmult_le_compat_r; [assumption |].
  apply Rmax_lub; [apply Rmax_l | apply Rle_trans with b; [assumption | apply Rmax_r]].
Qed.

Lemma min_le : forall a b c, a <= b -> Rmin a c <= Rmin b c.
Proof.
  intros a b c le. apply Rmin_glb; [apply Rle_trans with a; [apply Rmin_l | assumption] | apply Rmin_r].
Qed.

Theorem true_curves_are_monotone_holds : true_curves_are_monotone.
Proof.
  intros x y le. repeat split.
  - unfold structural_decay_bible_true. apply exp_le.
    pose proof (scaled_max (x / 3600 - 6) (y / 3600 - 6) (/ 3)). unfold Rdiv in *. lra.
  - unfold structural_decay_specification_true, Rpower. apply exp_le.
    pose proof (scaled_max (Rmin x 7200 - 30) (Rmin y 7200 - 30) (/ 7170)) as scaled.
    pose proof (min_le x y 7200 le). unfold Rdiv.
    assert (0 < ln 10) by (rewrite <- ln_1; apply ln_increasing; lra).
    assert (Rmax 0 (Rmin x 7200 - 30) * / 7170 * ln 10 <= Rmax 0 (Rmin y 7200 - 30) * / 7170 * ln 10)
      by (apply Rmult_le_compat_r; lra). lra.
  - unfold environment_bible_true. pose proof (exp_le (- (y / 60 / 60)) (- (x / 60 / 60))). lra.
  - unfold environment_specification_true.
    pose proof (min_le (x / 60) (y / 60) 60). lra.
  - unfold capital_true. pose proof (exp_le (30 * (x - 12 / 100)) (30 * (y - 12 / 100))).
    pose proof (exp_pos (30 * (x - 12 / 100))). apply Rinv_le_contravar; lra.
  - unfold latency_specification_true. apply exp_le.
    pose proof (scaled_max (x - 200) (y - 200) (/ 1000)). unfold Rdiv in *. lra.
  - unfold jitter_specification_true. apply exp_le.
    pose proof (scaled_max (x - 50) (y - 50) (/ 250)). unfold Rdiv in *. lra.
  - unfold depth_specification_true. pose proof (min_le x y (8 / 10) le). lra.
Qed.

(** * Proofs: conservative *)

Lemma floor_of : forall a b t, (0 < b)%Z -> IZR a <= IZR b * t -> IZR (a / b) <= t.
Proof.
  intros a b t B le. pose proof (floor_real a b B). apply IZR_lt in B.
  apply Rmult_le_reg_r with (IZR b); lra.
Qed.

Lemma floor_near : forall a b t e, (0 < b)%Z -> IZR b * t <= IZR a + IZR b * e ->
  t < IZR (a / b) + 1 + e.
Proof.
  intros a b t e B le. pose proof (floor_real a b B). apply IZR_lt in B.
  apply Rmult_lt_reg_r with (IZR b); lra.
Qed.

(** A factor that falls as the exponential does. *)
Lemma falling_is_conservative : forall n, (0 <= n)%Z ->
  conservative (exp_down n * PPM / ONE) (true_exp n).
Proof.
  intros n N. destruct (exp_down_is_conservative_holds n N) as [[low high] _].
  unfold conservative, BELOW, ERROR_MAX in *.
  assert (IZR PPM = 1000000) as P by reflexivity. rewrite P.
  assert (IZR ONE = 1000000000000000000) as O by reflexivity. split.
  - apply floor_of; [reflexivity |]. rewrite mult_IZR, P. lra.
  - pose proof (floor_near (exp_down n * PPM) ONE (1000000 * true_exp n) (13 / 1000000000000) eq_refl)
      as close.
    rewrite <- Rplus_assoc. apply close. rewrite mult_IZR, P. lra.
Qed.

Lemma max_of : forall a, IZR (Z.max 0 a) = Rmax 0 (IZR a).
Proof.
  intros a. destruct (Z.max_spec 0 a) as [[lt ->] | [ge ->]].
  - apply IZR_lt in lt. rewrite Rmax_right; lra.
  - apply IZR_le in ge. rewrite Rmax_left; lra.
Qed.

Lemma min_of : forall a b, IZR (Z.min a b) = Rmin (IZR a) (IZR b).
Proof.
  intros a b. destruct (Z.min_spec a b) as [[lt ->] | [ge ->]].
  - apply IZR_lt in lt. rewrite Rmin_left; lra.
  - apply IZR_le in ge. rewrite Rmin_right; lra.
Qed.

Lemma max_scale : forall x k, 0 <= k -> Rmax 0 x * k = Rmax 0 (x * k).
Proof.
  intros x k K. destruct (Rle_lt_dec 0 x) as [pos | neg].
  - rewrite !Rmax_right; [reflexivity | apply Rmult_le_pos; assumption | assumption].
  - rewrite !Rmax_left; [ring | | lra]. replace 0 with (0 * k) by ring.
    apply Rmult_le_compat_r; lra.
Qed.

Theorem structural_decay_bible_is_conservative_holds : structural_decay_bible_is_conservative.
Proof.
  intros age A. unfold structural_decay_bible. cbv zeta. rewrite Z.min_l by apply A.
  replace (structural_decay_bible_true (IZR age)) with (true_exp (250 * Z.max 0 (age - 21600))).
  - apply falling_is_conservative. lia.
  - unfold true_exp, structural_decay_bible_true. f_equal.
    rewrite mult_IZR, max_of, minus_IZR.
    replace (IZR age / 3600 - 6) with ((IZR age - 21600) * / 3600) by field.
    rewrite <- max_scale by lra. unfold EXP_UNIT. field.
Qed.

Theorem latency_specification_is_conservative_holds : latency_specification_is_conservative.
Proof.
  intros ms A. unfold latency_specification. cbv zeta. rewrite Z.min_l by apply A.
  replace (latency_specification_true (IZR ms)) with (true_exp (2700 * Z.max 0 (ms - 200))).
  - apply falling_is_conservative. lia.
  - unfold true_exp, latency_specification_true. f_equal.
    rewrite mult_IZR, max_of, minus_IZR. unfold EXP_UNIT. field.
Qed.

Theorem jitter_specification_is_conservative_holds : jitter_specification_is_conservative.
Proof.
  intros ms A. unfold jitter_specification. cbv zeta. rewrite Z.min_l by apply A.
  replace (jitter_specification_true (IZR ms)) with (true_exp (10800 * Z.max 0 (ms - 50))).
  - apply falling_is_conservative. lia.
  - unfold true_exp, jitter_specification_true. f_equal.
    rewrite mult_IZR, max_of, minus_IZR. unfold EXP_UNIT. field.
Qed.

Lemma decade_is_conservative : forall n, (0 <= n <= DECADE_MAX)%Z ->
  conservative (decade_down n * PPM / ONE) (true_decade n).
Proof.
  intros n N. destruct (decade_down_is_conservative_holds n N) as [[low high] _].
  unfold conservative, BELOW, ERROR_MAX in *.
  assert (IZR PPM = 1000000) as P by reflexivity. rewrite P.
  assert (IZR ONE = 1000000000000000000) as O by reflexivity. split.
  - apply floor_of; [reflexivity |]. rewrite mult_IZR, P. lra.
  - pose proof (floor_near (decade_down n * PPM) ONE (1000000 * true_decade n) (13 / 1000000000000)
      eq_refl) as close.
    rewrite <- Rplus_assoc. apply close. rewrite mult_IZR, P. lra.
Qed.

Theorem structural_decay_specification_is_conservative_holds :
  structural_decay_specification_is_conservative.
Proof.
  intros age A. unfold structural_decay_specification. destruct (Z.leb_spec 7200 age) as [old | young].
  - unfold structural_decay_specification_true. apply IZR_le in old.
    rewrite Rmin_right by assumption. rewrite Rmax_right by lra.
    unfold Rpower. replace (- ((7200 - 30) / 7170) * ln 10) with (- ln 10) by field.
    rewrite tenth. unfold conservative, BELOW. assert (IZR PPM = 1000000) as -> by reflexivity. lra.
  - replace (structural_decay_specification_true (IZR age)) with (true_decade (Z.max 0 (age - 30))).
    + apply decade_is_conservative. unfold DECADE_MAX. lia.
    + unfold true_decade, structural_decay_specification_true, DECADE_UNIT.
      rewrite max_of, minus_IZR. apply IZR_lt in young. rewrite Rmin_left by lra. reflexivity.
Qed.

Theorem environment_bible_is_conservative_holds : environment_bible_is_conservative.
Proof.
  intros age A. unfold environment_bible. cbv zeta. rewrite Z.min_l by apply A.
  replace (environment_bible_true (IZR age)) with (3 / 10 + 7 / 10 * (1 - true_exp (750 * age))).
  - destruct (exp_up_is_conservative_holds (750 * age)%Z ltac:(lia)) as [[low high] [zero one]].
    set (up := exp_up (750 * age)) in *. unfold conservative, BELOW, ERROR_MAX in *.
    assert (IZR PPM = 1000000) as P by reflexivity.
    assert (IZR ONE = 1000000000000000000) as O by reflexivity. rewrite P, plus_IZR.
    change (PPM - 300000)%Z with 700000%Z.
    assert (IZR (700000 * (ONE - up)) = 700000 * (1000000000000000000 - IZR up)) as product
      by (rewrite mult_IZR, minus_IZR, O; reflexivity).
    pose proof (floor_of (700000 * (ONE - up))%Z ONE (700000 * (1 - true_exp (750 * age))) eq_refl)
      as floor.
    pose proof (floor_near (700000 * (ONE - up))%Z ONE (700000 * (1 - true_exp (750 * age)))
      (13 / 1000000000000) eq_refl) as close.
    rewrite product, O in floor, close. rewrite O in low, high.
    assert (IZR (700000 * (ONE - up) / ONE) <= 700000 * (1 - true_exp (750 * age)))
      by (apply floor; lra).
    assert (700000 * (1 - true_exp (750 * age))
            < IZR (700000 * (ONE - up) / ONE) + 1 + 13 / 1000000000000) by (apply close; lra).
    lra.
  - unfold environment_bible_true, true_exp, EXP_UNIT. rewrite mult_IZR.
    replace (- (750 * IZR age / 2700000)) with (- (IZR age / 60 / 60)) by field. reflexivity.
Qed.

Theorem environment_specification_is_conservative_holds : environment_specification_is_conservative.
Proof.
  intros age A. unfold environment_specification, conservative, BELOW, environment_specification_true.
  cbv zeta. change (PPM - 300000)%Z with 700000%Z.
  assert (IZR PPM = 1000000) as P by reflexivity. rewrite P, plus_IZR.
  pose proof (floor_real (700000 * Z.min age 3600)%Z 3600%Z eq_refl) as floor.
  rewrite mult_IZR, min_of in floor.
  assert (Rmin (IZR age / 60) 60 = Rmin (IZR age) 3600 / 60) as scaled.
  { destruct (Rle_lt_dec (IZR age) 3600).
    - rewrite !Rmin_left; lra.
    - rewrite !Rmin_right; lra. }
  rewrite scaled. lra.
Qed.

Theorem depth_specification_is_conservative_holds : depth_specification_is_conservative.
Proof.
  intros depth A. unfold depth_specification, conservative, BELOW, depth_specification_true.
  assert (IZR PPM = 1000000) as P by reflexivity. rewrite P.
  pose proof (floor_real (Z.min depth 800000 * PPM) 800000 eq_refl) as floor.
  rewrite mult_IZR, min_of, P in floor.
  assert (Rmin (IZR depth / 1000000) (8 / 10) = Rmin (IZR depth) 800000 / 1000000) as scaled.
  { destruct (Rle_lt_dec (IZR depth) 800000).
    - rewrite !Rmin_left; lra.
    - rewrite !Rmin_right; lra. }
  rewrite scaled. lra.
Qed.

Theorem micro_bible_is_conservative_holds : micro_bible_is_conservative.
Proof.
  intros depth fill A B. unfold micro_bible, conservative, BELOW, micro_bible_true.
  change (PPM - 300000)%Z with 700000%Z. rewrite plus_IZR.
  pose proof (floor_real (700000 * Z.min depth fill) PPM eq_refl) as floor.
  rewrite mult_IZR, min_of in floor. assert (IZR PPM = 1000000) as P by reflexivity.
  rewrite P in *.
  assert (Rmin (IZR depth / 1000000) (IZR fill / 1000000) = Rmin (IZR depth) (IZR fill) / 1000000)
    as scaled.
  { destruct (Rle_lt_dec (IZR depth) (IZR fill)).
    - rewrite !Rmin_left; lra.
    - rewrite !Rmin_right; lra. }
  rewrite scaled. lra.
Qed.

Lemma quotient_bound : forall a b c d, 0 < b -> 0 < d -> a * d <= c * b -> a / b <= c / d.
Proof.
  intros a b c d B D le. apply Rmult_le_reg_r with (b * d); [apply Rmult_lt_0_compat; assumption |].
  replace (a / b * (b * d)) with (a * d) by (field; lra).
  replace (c / d * (b * d)) with (c * b) by (field; lra). assumption.
Qed.

Theorem capital_is_conservative_holds : capital_is_conservative.
Proof.
  intros drawdown A. unfold capital.
  assert (IZR PPM = 1000000) as P by reflexivity.
  assert (IZR ONE = 1000000000000000000) as O by reflexivity.
  unfold conservative, BELOW, capital_true. rewrite P.
  destruct (Z.ltb_spec drawdown 120000) as [left | right].
  - destruct (exp_up_is_conservative_holds (81 * (120000 - drawdown))%Z ltac:(lia))
      as [[low high] [zero one]].
    pose proof (true_exp_range (81 * (120000 - drawdown))%Z ltac:(lia)) as range.
    set (e := true_exp (81 * (120000 - drawdown))) in *.
    set (up := exp_up (81 * (120000 - drawdown))) in *.
    replace (exp (30 * (IZR drawdown / 1000000 - 12 / 100))) with e.
    2: { unfold e, true_exp, EXP_UNIT. f_equal. rewrite mult_IZR, minus_IZR. field. }
    unfold ERROR_MAX in high. rewrite O in low, high. apply IZR_le in zero.
    assert (0 < ONE + up)%Z as B by (apply le_IZR in zero; unfold ONE; lia).
    assert (IZR (PPM * ONE) = 1000000 * 1000000000000000000) as N
      by (rewrite mult_IZR, P, O; reflexivity).
    assert (IZR (ONE + up) = 1000000000000000000 + IZR up) as M by (rewrite plus_IZR, O; reflexivity).
    assert (0 < 1 + e) as E by lra.
    assert (/ (1 + e) * (1 + e) = 1) as inv by (field; lra).
    assert (0 < / (1 + e) <= 1) as small.
    { split; [apply Rinv_0_lt_compat; lra |]. rewrite <- Rinv_1. apply Rinv_le_contravar; lra. }
    set (t := / (1 + e)) in *.
    assert (t + t * e = 1) as te by lra.
    assert (1000000000000000000 * (t * e) <= t * IZR up) as tlow.
    { replace (1000000000000000000 * (t * e)) with (t * (1000000000000000000 * e)) by ring.
      apply Rmult_le_compat_l; lra. }
    assert (t * IZR up <= 1000000000000000000 * (t * e) + t * 13) as thigh.
    { replace (1000000000000000000 * (t * e) + t * 13) with (t * (1000000000000000000 * e + 13))
        by ring. apply Rmult_le_compat_l; lra. }
    split.
    + apply floor_of; [assumption |]. rewrite N, M. lra.
    + rewrite <- Rplus_assoc. apply floor_near; [assumption |]. rewrite N, M. lra.
  - destruct (exp_down_is_conservative_holds (81 * (drawdown - 120000))%Z ltac:(lia))
      as [[low high] [zero one]].
    pose proof (true_exp_range (81 * (drawdown - 120000))%Z ltac:(lia)) as range.
    pose proof (true_exp_exp (81 * (drawdown - 120000))) as form.
    set (e := true_exp (81 * (drawdown - 120000))) in *.
    set (down := exp_down (81 * (drawdown - 120000))) in *.
    assert (0 < e) as E by (rewrite form; apply exp_pos).
    replace (/ (1 + exp (30 * (IZR drawdown / 1000000 - 12 / 100)))) with (e / (1 + e)).
    2: { replace (exp (30 * (IZR drawdown / 1000000 - 12 / 100))) with (/ e).
         - field. lra.
         - rewrite form, <- exp_Ropp. f_equal. rewrite mult_IZR, minus_IZR. unfold EXP_UNIT. field. }
    unfold ERROR_MAX in high. rewrite O in low, high. apply IZR_le in zero.
    assert (0 < ONE + down)%Z as B by (apply le_IZR in zero; unfold ONE; lia).
    assert (IZR (PPM * down) = 1000000 * IZR down) as N by (rewrite mult_IZR, P; reflexivity).
    assert (IZR (ONE + down) = 1000000000000000000 + IZR down) as M
      by (rewrite plus_IZR, O; reflexivity).
    assert (e / (1 + e) * (1 + e) = e) as inv by (field; lra).
    assert (0 < e / (1 + e)) as positive by (apply Rdiv_lt_0_compat; lra).
    set (t := e / (1 + e)) in *.
    assert (t < 1) as below_one by nra.
    assert (t + t * e = e) as te by lra.
    (* (1 - t) e = t *)
    assert ((1 - t) * IZR down <= (1 - t) * (1000000000000000000 * e)) as tlow
      by (apply Rmult_le_compat_l; lra).
    assert ((1 - t) * (1000000000000000000 * e) <= (1 - t) * (IZR down + 13)) as thigh
      by (apply Rmult_le_compat_l; lra).
    split.
    + apply floor_of; [assumption |]. rewrite N, M. lra.
    + rewrite <- Rplus_assoc. apply floor_near; [assumption |]. rewrite N, M. lra.
Qed.

(** * Proofs: bounded and monotone, in integers *)

Open Scope Z_scope.

Lemma falling_bounded : forall n, 0 <= n -> 0 <= exp_down n * PPM / ONE <= PPM.
Proof.
  intros n N. destruct (exp_down_is_conservative_holds n N) as [_ range].
  unfold PPM, ONE in *. split; [apply div_above | apply div_below]; lia.
Qed.

(** One unit of the argument is worth more than the error, wherever the factor is not yet 0. *)
Lemma exp_down_falls_or_vanishes : forall m n, 0 <= m < n ->
  exp_down n + 13 <= exp_down m \/ exp_down n * PPM < ONE.
Proof.
  intros m n [M lt]. pose proof (exp_down_is_conservative_holds m M) as [[lowm highm] _].
  pose proof (exp_down_is_conservative_holds n ltac:(lia)) as [[lown highn] _].
  destruct (Z.lt_ge_cases (exp_down n * PPM) ONE) as [gone | there]; [now right | left].
  assert (IZR ONE = 1000000000000000000)%R as O by reflexivity.
  assert (true_exp n * (1 + 1 / 2700000) <= true_exp m)%R as gap.
  { replace m with (n + - (n - m)) by ring. rewrite true_exp_plus.
    apply Rmult_le_compat_l; [apply true_exp_range; lia |].
    rewrite true_exp_exp. rewrite opp_IZR.
    replace (- (- IZR (n - m) * (1 / IZR EXP_UNIT)))%R with (IZR (n - m) / 2700000)%R
      by (unfold EXP_UNIT; field).
    pose proof (exp_ineq1_le (IZR (n - m) / 2700000)).
    assert (1 <= IZR (n - m))%R by (apply IZR_le; lia). lra. }
  unfold ERROR_MAX in *. rewrite O in *.
  apply IZR_le in there. rewrite mult_IZR, O in there.
  assert (IZR PPM = 1000000)%R as P by reflexivity. rewrite P in there.
  apply le_IZR. rewrite plus_IZR.
  apply Rnot_lt_le. intros less.
  assert (exp_down m <= exp_down n + 12) as close.
  { apply Z.lt_succ_r. apply lt_IZR. rewrite succ_IZR, plus_IZR. lra. }
  apply IZR_le in close. rewrite plus_IZR in close. lra.
Qed.

Lemma falling_monotone : forall m n, 0 <= m <= n ->
  exp_down n * PPM / ONE <= exp_down m * PPM / ONE.
Proof.
  intros m n [M le]. destruct (Z.eq_dec m n) as [-> | differ]; [lia |].
  destruct (exp_down_falls_or_vanishes m n ltac:(lia)) as [falls | gone].
  - apply Z.div_le_mono; [reflexivity |]. unfold PPM. lia.
  - destruct (exp_down_is_conservative_holds n ltac:(lia)) as [_ range].
    rewrite (Z.div_small (exp_down n * PPM)) by (unfold PPM in *; lia).
    apply (falling_bounded m M).
Qed.

Lemma decade_falls : forall m n, 0 <= m < n -> n <= 7169 -> decade_down n <= decade_down m.
Proof.
  intros m n [M lt] N. unfold PPM in *.
  pose proof (decade_down_is_conservative_holds m ltac:(unfold DECADE_MAX; lia)) as [[lowm highm] _].
  pose proof (decade_down_is_conservative_holds n ltac:(unfold DECADE_MAX; lia)) as [[lown highn] _].
  assert (IZR ONE = 1000000000000000000)%R as O by reflexivity.
  assert (true_decade n * (1 + 1 / 7170) <= true_decade m)%R as gap.
  { replace m with (n + - (n - m)) by ring. rewrite true_decade_plus.
    apply Rmult_le_compat_l; [apply true_decade_range; lia |].
    rewrite true_decade_exp. rewrite opp_IZR.
    replace (- (- IZR (n - m) * decade_step))%R with (IZR (n - m) * decade_step)%R by ring.
    pose proof (exp_ineq1_le (IZR (n - m) * decade_step)).
    assert (1 <= IZR (n - m))%R by (apply IZR_le; lia).
    assert (1 / 7170 <= decade_step)%R as step.
    { unfold decade_step, DECADE_UNIT. assert (1 <= ln 10)%R; [| lra].
      rewrite <- (ln_exp 1). apply Rlt_le, ln_increasing; [apply exp_pos |].
      pose proof exp_le_3. lra. }
    assert (1 * (1 / 7170) <= IZR (n - m) * decade_step)%R
      by (apply Rmult_le_compat; lra). lra. }
  assert (1 / 10 <= true_decade n)%R as tenth_of.
  { rewrite true_decade_exp. rewrite <- tenth. apply exp_le.
    pose proof decade_step_positive. apply IZR_le in N.
    assert (IZR n * decade_step <= 7170 * decade_step)%R by (apply Rmult_le_compat_r; lra).
    unfold decade_step, DECADE_UNIT in *. lra. }
  unfold ERROR_MAX in *. rewrite O in *. apply le_IZR. lra.
Qed.

Lemma decade_monotone : forall m n, 0 <= m <= n -> n <= 7169 ->
  decade_down n * PPM / ONE <= decade_down m * PPM / ONE.
Proof.
  intros m n [M le] N. destruct (Z.eq_dec m n) as [-> | differ]; [lia |].
  pose proof (decade_falls m n ltac:(lia) N).
  apply Z.div_le_mono; [reflexivity |]. unfold PPM. lia.
Qed.

Lemma structural_decay_specification_range : forall n, 0 <= n ->
  100000 <= structural_decay_specification n <= PPM.
Proof.
  intros n N. unfold structural_decay_specification. destruct (Z.leb_spec 7200 n);
    [unfold PPM; lia |].
  assert (0 <= Z.max 0 (n - 30) <= 7169) as R by lia.
  pose proof (decade_monotone (Z.max 0 (n - 30)) 7169 R (Z.le_refl _)) as last.
  assert (decade_down 7169 * PPM / ONE = 100032) as value by (vm_compute; reflexivity).
  rewrite value in last.
  destruct (decade_down_is_conservative_holds (Z.max 0 (n - 30)) ltac:(unfold DECADE_MAX; lia))
    as [_ range].
  split; [lia |]. unfold PPM, ONE in *. apply div_below; lia.
Qed.

Lemma environment_bible_range : forall n, 0 <= n -> 300000 <= environment_bible n <= PPM.
Proof.
  intros n N. unfold environment_bible. cbv zeta. change (PPM - 300000) with 700000.
  assert (0 <= 750 * Z.min n AGE_S_MAX) as A by (unfold AGE_S_MAX; lia).
  destruct (exp_up_is_conservative_holds _ A) as [_ range].
  set (up := exp_up (750 * Z.min n AGE_S_MAX)) in *.
  assert (0 <= 700000 * (ONE - up) / ONE <= 700000); [| unfold PPM; lia].
  unfold ONE in *. split; [apply div_above | apply div_below]; lia.
Qed.

Lemma capital_range : forall n, 0 <= n -> 0 <= capital n <= PPM.
Proof.
  intros n N. unfold capital. destruct (Z.ltb_spec n 120000).
  - destruct (exp_up_is_conservative_holds (81 * (120000 - n)) ltac:(lia)) as [_ range].
    unfold PPM, ONE in *. split; [apply div_above | apply div_below]; lia.
  - cbv zeta. destruct (exp_down_is_conservative_holds (81 * (n - 120000)) ltac:(lia)) as [_ range].
    unfold PPM, ONE in *. split; [apply div_above | apply div_below]; lia.
Qed.

Theorem curves_are_bounded_holds : curves_are_bounded.
Proof.
  intros n N. split; [unfold structural_decay_bible; cbv zeta; apply falling_bounded; lia |].
  split; [now apply structural_decay_specification_range |].
  split; [now apply environment_bible_range |].
  split.
  { unfold environment_specification. cbv zeta. unfold PPM.
    assert (0 <= 700000 * Z.min n 3600 / 3600 <= 700000);
      [split; [apply div_above | apply div_below]; lia |].
    change (1000000 - 300000) with 700000. lia. }
  split; [now apply capital_range |].
  split; [unfold latency_specification; cbv zeta; apply falling_bounded; lia |].
  split; [unfold jitter_specification; cbv zeta; apply falling_bounded; lia |].
  split.
  { unfold depth_specification, PPM. split; [apply div_above | apply div_below]; lia. }
  intros fill M F. unfold micro_bible, PPM in *. change (1000000 - 300000) with 700000.
  assert (0 <= 700000 * Z.min n fill / 1000000 <= 700000); [| lia].
  split; [apply div_above | apply div_below]; lia.
Qed.

Lemma exp_up_falls_or_vanishes : forall m n, 0 <= m <= n ->
  exp_up n <= exp_up m \/ (0 < exp_up n /\ 1000000 * exp_up n < 14 * ONE).
Proof.
  intros m n [M le]. destruct (Z.eq_dec m n) as [-> | differ]; [left; lia |].
  destruct (exp_down_is_conservative_holds n ltac:(lia)) as [_ rn].
  unfold exp_up, ERROR_MAX.
  destruct (exp_down_falls_or_vanishes m n ltac:(lia)) as [falls | gone]; [left; lia |].
  right. unfold PPM, ONE in *. lia.
Qed.

Lemma environment_bible_rises : forall m n, 0 <= m <= n -> environment_bible m <= environment_bible n.
Proof.
  intros m n [M le]. unfold environment_bible. cbv zeta. change (PPM - 300000) with 700000.
  set (x := 750 * Z.min m AGE_S_MAX). set (y := 750 * Z.min n AGE_S_MAX).
  assert (0 <= x <= y) as R by (unfold x, y, AGE_S_MAX; lia).
  destruct (Z.eq_dec x y) as [-> | differ]; [lia |].
  destruct (exp_down_is_conservative_holds y ltac:(lia)) as [_ ry].
  destruct (exp_down_is_conservative_holds x ltac:(lia)) as [_ rx].
  apply Zplus_le_compat_l.
  destruct (exp_down_falls_or_vanishes x y ltac:(lia)) as [falls | gone].
  - apply Z.div_le_mono; [reflexivity |]. unfold exp_up, ERROR_MAX, ONE in *. lia.
  - (* both beside 1: what remains is less than a ppm, and never 0 *)
    assert (exp_up y <= exp_down y + 13) by (unfold exp_up, ERROR_MAX; lia).
    assert (700000 * (ONE - exp_up y) / ONE >= 699999) as last
      by (apply Z.le_ge, div_above; [reflexivity |]; unfold PPM, ONE in *; lia).
    assert (13 <= exp_up x) as some by (unfold exp_up, ERROR_MAX, ONE in *; lia).
    assert (700000 * (ONE - exp_up x) / ONE <= 699999) as first; [| lia].
    apply Z.lt_succ_r. apply Z.div_lt_upper_bound; [reflexivity |]. unfold ONE in *. lia.
Qed.

Lemma capital_falls : forall m n, 0 <= m <= n -> capital n <= capital m.
Proof.
  intros m n [M le]. destruct (Z.eq_dec m n) as [-> | differ]; [lia |].
  assert (forall k, k < 120000 -> 500000 <= PPM * ONE / (ONE + exp_up (81 * (120000 - k)))) as upper.
  { intros k K. destruct (exp_up_is_conservative_holds (81 * (120000 - k)) ltac:(lia)) as [_ range].
    unfold PPM, ONE in *. apply div_above; lia. }
  unfold capital. cbv zeta.
  destruct (Z.ltb_spec m 120000) as [mleft | mright]; destruct (Z.ltb_spec n 120000) as [nleft | nright];
    [| | lia |].
  - (* left: the exponential rises towards the middle, by far more than its error *)
    set (x := 81 * (120000 - m)). set (y := 81 * (120000 - n)).
    assert (0 <= y < x /\ x <= 9720000) as R by (unfold x, y; lia).
    destruct (exp_down_is_conservative_holds x ltac:(lia)) as [_ rx].
    destruct (exp_down_is_conservative_holds y ltac:(lia)) as [_ ry].
    assert (exp_up x <= exp_up y) as rises.
    { destruct (exp_down_falls_or_vanishes y x ltac:(lia)) as [falls | gone].
      - unfold exp_up, ERROR_MAX. lia.
      - exfalso.
        pose proof (falling_monotone x 9720000 ltac:(lia)) as least.
        assert (exp_down 9720000 * PPM / ONE = 27323) as value by (vm_compute; reflexivity).
        rewrite value in least.
        assert (exp_down x * PPM / ONE < 1)
          by (apply Z.div_lt_upper_bound; [reflexivity | unfold PPM, ONE in *; lia]). lia. }
    assert (0 <= exp_up x) by (unfold exp_up, ERROR_MAX, ONE in *; lia).
    apply Z.div_le_compat_l; unfold PPM, ONE in *; lia.
  - (* across the middle *)
    specialize (upper m mleft).
    destruct (exp_down_is_conservative_holds (81 * (n - 120000)) ltac:(lia)) as [_ range].
    set (down := exp_down (81 * (n - 120000))) in *.
    assert (PPM * down / (ONE + down) <= 500000); [| lia].
    unfold PPM, ONE in *. apply div_below; lia.
  - set (x := 81 * (m - 120000)). set (y := 81 * (n - 120000)).
    assert (0 <= x < y) as R by (unfold x, y; lia).
    destruct (exp_down_is_conservative_holds x ltac:(lia)) as [_ rx].
    destruct (exp_down_is_conservative_holds y ltac:(lia)) as [_ ry].
    destruct (exp_down_falls_or_vanishes x y R) as [falls | gone].
    + pose proof (div_floor (PPM * exp_down y) (ONE + exp_down y) ltac:(unfold ONE in *; lia)).
      apply div_above; [unfold ONE in *; lia |].
      set (q := PPM * exp_down y / (ONE + exp_down y)) in *.
      assert (0 <= q <= PPM) as Q
        by (unfold q, PPM, ONE in *; split; [apply div_above | apply div_below]; lia).
      unfold PPM, ONE in *. nia.
    + rewrite (Z.div_small (PPM * exp_down y)) by (unfold PPM, ONE in *; lia).
      apply div_above; unfold PPM, ONE in *; lia.
Qed.

Lemma structural_decay_specification_falls : forall m n, 0 <= m <= n ->
  structural_decay_specification n <= structural_decay_specification m.
Proof.
  intros m n [M le].
  destruct (Z.le_gt_cases 7200 n) as [old | young].
  - pose proof (structural_decay_specification_range m M) as range.
    unfold structural_decay_specification at 1. destruct (Z.leb_spec 7200 n); lia.
  - unfold structural_decay_specification. destruct (Z.leb_spec 7200 n); [lia |].
    destruct (Z.leb_spec 7200 m); [lia |]. apply decade_monotone; lia.
Qed.

Theorem curves_are_monotone_holds : curves_are_monotone.
Proof.
  intros m n [M le].
  split; [unfold structural_decay_bible; cbv zeta; apply falling_monotone; unfold AGE_S_MAX; lia |].
  split; [now apply structural_decay_specification_falls |].
  split; [now apply environment_bible_rises |].
  split.
  { unfold environment_specification. cbv zeta. apply Zplus_le_compat_l.
    apply Z.div_le_mono; [reflexivity |]. unfold PPM. lia. }
  split; [now apply capital_falls |].
  split.
  { unfold latency_specification. cbv zeta. apply falling_monotone. unfold LATENCY_MS_MAX. lia. }
  split.
  { unfold jitter_specification. cbv zeta. apply falling_monotone. unfold LATENCY_MS_MAX. lia. }
  split.
  { unfold depth_specification. apply Z.div_le_mono; [reflexivity |]. unfold PPM. lia. }
  intros fill fill' F. unfold micro_bible. apply Zplus_le_compat_l.
  apply Z.div_le_mono; [reflexivity |]. unfold PPM. lia.
Qed.
