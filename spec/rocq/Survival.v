(** The total multiplier that the five categories call for.

    Mirrors [structural], [microstructure], [environment], [capital_stress] and [target] of
    [kernel/survival.py]: the closed form of several arguments, over the curves of [Curves.v].
    Bible 11.2, 11.3; specification VI.1. *)

From Coq Require Import ZArith Lia Bool Reals Lra.
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

(** The same formulas over the reals, ages in seconds as they are and not rounded. *)
Definition seconds (ms : Z) : R := (IZR ms / 1000)%R.
Definition share (ppm : Z) : R := (IZR ppm / IZR PPM)%R.

Definition structural_true (r : readings) (p : profile) : R :=
  match p with
  | bible =>
      (share (status_factor (status r)) * structural_decay_bible_true (seconds (forewarner_age_ms r)))%R
  | specification => structural_decay_specification_true (seconds (forewarner_age_ms r))
  end.

Definition environment_true (r : readings) (p : profile) : R :=
  match p with
  | bible => environment_bible_true (seconds (shock_age_ms r))
  | specification => environment_specification_true (seconds (shock_age_ms r))
  end.

Definition capital_of_true (r : readings) : R := capital_true (share (drawdown_ppm r)).

(** Ages saturate within the curves' range. *)
Definition ages_saturate (r : readings) : Prop :=
  forewarner_age_ms r <= 1000 * AGE_S_MAX /\ shock_age_ms r <= 1000 * AGE_S_MAX.

(** Rounding an age to whole seconds is towards risk, and so is every floor: each of the three
    slow factors is never above the seeds' formula at the true age. *)
Definition slow_factors_are_never_above : Prop :=
  forall r p, in_range r -> ages_saturate r ->
    (share (structural r p) <= structural_true r p)%R
    /\ (share (environment r p) <= environment_true r p)%R
    /\ (share (capital (drawdown_ppm r)) <= capital_of_true r)%R.

Open Scope R_scope.

Definition microstructure_true (r : readings) (p : profile) (book_stale_ms : Z) : R :=
  match p with
  | bible =>
      let shown := micro_bible_true (share (depth_quality_ppm r)) (share (fill_probability_ppm r)) in
      if (book_stale_ms <? book_age_ms r)%Z then Rmin (1 / 2) shown else shown
  | specification =>
      let silence_ms := if (book_stale_ms <? book_age_ms r)%Z then book_age_ms r else 0%Z in
      latency_specification_true (IZR (Z.max (book_latency_ms r) silence_ms))
      * jitter_specification_true (IZR (book_jitter_ms r))
      * depth_specification_true (share (depth_quality_ppm r))
  end.

Definition degraded_true (factor : R) : Z := if Rlt_dec factor (8 / 10) then 1%Z else 0%Z.

Definition target_true (r : readings) (p : profile) (book_stale_ms : Z) : R :=
  let two := structural_true r p in
  let three := microstructure_true r p book_stale_ms in
  let four := environment_true r p in
  let five := capital_of_true r in
  match p with
  | specification => five * two * four * three
  | bible =>
      let combined := five * Rmin two four * three in
      if (2 <=? degraded_true two + degraded_true three + degraded_true four)%Z
      then combined / 2 else combined
  end.

(** All roundings together: the multiplier that the kernel calls for is never above the one that
    the seeds' formulas give for the same readings. *)
Definition target_is_never_above : Prop :=
  forall killed r p stale, in_range r -> ages_saturate r ->
    share (target killed r p stale) <= target_true r p stale.

Open Scope Z_scope.

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

Lemma share_below : forall z t, (IZR z <= IZR PPM * t)%R -> (share z <= t)%R.
Proof.
  intros z t le. unfold share. assert (IZR PPM = 1000000)%R as P by reflexivity. rewrite P in *. lra.
Qed.

Lemma share_product : forall a b, (share (mul a b) <= share a * share b)%R.
Proof.
  intros a b. unfold share, mul. pose proof (floor_real (a * b) PPM eq_refl) as [low _].
  rewrite mult_IZR in low. assert (IZR PPM = 1000000)%R as P by reflexivity. rewrite P in *. lra.
Qed.

Lemma status_share : forall s, (0 <= share (status_factor s))%R.
Proof.
  intros s. unfold share. destruct (status_factor_ratio s) as [low _]. apply IZR_le in low.
  assert (IZR PPM = 1000000)%R as P by reflexivity. rewrite P. lra.
Qed.

Theorem slow_factors_are_never_above_holds : slow_factors_are_never_above.
Proof.
  intros r p R [young recent]. pose proof R as (A & _ & S & _ & _ & _ & _ & D).
  pose proof (div_floor (forewarner_age_ms r + 999) 1000 eq_refl) as up.
  pose proof (div_floor (shock_age_ms r) 1000 eq_refl) as down.
  set (older := (forewarner_age_ms r + 999) / 1000) in *.
  set (sooner := shock_age_ms r / 1000) in *.
  assert (0 <= older <= AGE_S_MAX) as O by (unfold AGE_S_MAX in *; lia).
  assert (0 <= sooner <= AGE_S_MAX) as N by (unfold AGE_S_MAX in *; lia).
  assert (seconds (forewarner_age_ms r) <= IZR older)%R as rounded_up.
  { unfold seconds. assert (forewarner_age_ms r <= 1000 * older) as le by lia.
    apply IZR_le in le. rewrite mult_IZR in le. lra. }
  assert (IZR sooner <= seconds (shock_age_ms r))%R as rounded_down.
  { unfold seconds. assert (1000 * sooner <= shock_age_ms r) as le by lia.
    apply IZR_le in le. rewrite mult_IZR in le. lra. }
  destruct (true_curves_are_monotone_holds _ _ rounded_up) as (sb & ss & _).
  destruct (true_curves_are_monotone_holds _ _ rounded_down) as (_ & _ & eb & es & _).
  split; [| split].
  - destruct p; unfold structural, structural_true; cbv zeta; fold older.
    + eapply Rle_trans; [apply share_product |].
      apply Rmult_le_compat_l; [apply status_share |].
      eapply Rle_trans; [| exact sb].
      apply share_below, (structural_decay_bible_is_conservative_holds older O).
    + eapply Rle_trans; [| exact ss].
      apply share_below, (structural_decay_specification_is_conservative_holds older (proj1 O)).
  - destruct p; unfold environment, environment_true; cbv zeta; fold sooner.
    + eapply Rle_trans; [| exact eb].
      apply share_below, (environment_bible_is_conservative_holds sooner N).
    + eapply Rle_trans; [| exact es].
      apply share_below, (environment_specification_is_conservative_holds sooner (proj1 N)).
  - apply share_below. apply (capital_is_conservative_holds _ D).
Qed.

Open Scope R_scope.

Lemma share_monotone : forall a b, (a <= b)%Z -> share a <= share b.
Proof.
  intros a b le. unfold share. apply IZR_le in le.
  assert (IZR PPM = 1000000) as P by reflexivity. rewrite P. lra.
Qed.

Lemma share_0 : share 0 = 0.
Proof. unfold share. lra. Qed.

Lemma share_nonneg : forall a, (0 <= a)%Z -> 0 <= share a.
Proof. intros a A. rewrite <- share_0. now apply share_monotone. Qed.

Lemma latency_never_above : forall ms, (0 <= ms)%Z ->
  share (latency_specification ms) <= latency_specification_true (IZR ms).
Proof.
  intros ms M. destruct (Z.le_gt_cases ms LATENCY_MS_MAX) as [within | beyond].
  - apply share_below, latency_specification_is_conservative_holds. lia.
  - replace (latency_specification ms) with 0%Z.
    + rewrite share_0. apply Rlt_le, exp_pos.
    + unfold latency_specification. cbv zeta. rewrite Z.min_r by lia. vm_compute. reflexivity.
Qed.

Lemma jitter_never_above : forall ms, (0 <= ms)%Z ->
  share (jitter_specification ms) <= jitter_specification_true (IZR ms).
Proof.
  intros ms M. destruct (Z.le_gt_cases ms LATENCY_MS_MAX) as [within | beyond].
  - apply share_below, jitter_specification_is_conservative_holds. lia.
  - replace (jitter_specification ms) with 0%Z.
    + rewrite share_0. apply Rlt_le, exp_pos.
    + unfold jitter_specification. cbv zeta. rewrite Z.min_r by lia. vm_compute. reflexivity.
Qed.

(** Products of factors that are each not above theirs. *)
Lemma product_never_above : forall a b x y, (0 <= a)%Z -> (0 <= b)%Z ->
  share a <= x -> share b <= y -> share (mul a b) <= x * y.
Proof.
  intros a b x y A B X Y. eapply Rle_trans; [apply share_product |].
  apply Rmult_le_compat; auto using share_nonneg.
Qed.

Lemma mul_nonneg : forall a b, (0 <= a)%Z -> (0 <= b)%Z -> (0 <= mul a b)%Z.
Proof. intros a b A B. unfold mul, PPM. apply div_above; nia. Qed.

Lemma microstructure_never_above : forall r p stale, in_range r ->
  share (microstructure r p stale) <= microstructure_true r p stale.
Proof.
  intros r p stale R. pose proof R as (_ & B & _ & D & F & L & J & _).
  destruct p; unfold microstructure, microstructure_true; cbv zeta.
  - assert (share (micro_bible (depth_quality_ppm r) (fill_probability_ppm r))
      <= micro_bible_true (share (depth_quality_ppm r)) (share (fill_probability_ppm r))) as shown
      by (apply share_below, (micro_bible_is_conservative_holds _ _ D F)).
    destruct (stale <? book_age_ms r)%Z; [| exact shown].
    apply Rmin_glb.
    + eapply Rle_trans; [apply share_monotone, Z.le_min_l |].
      unfold share. assert (IZR PPM = 1000000) as P by reflexivity. rewrite P. lra.
    + eapply Rle_trans; [apply share_monotone, Z.le_min_r | exact shown].
  - set (ms := Z.max (book_latency_ms r) (if stale <? book_age_ms r then book_age_ms r else 0)%Z).
    assert (0 <= ms)%Z as M by lia.
    destruct (curves_are_bounded_holds _ M) as (_ & _ & _ & _ & _ & l & _).
    destruct (curves_are_bounded_holds _ J) as (_ & _ & _ & _ & _ & _ & j & _).
    destruct (curves_are_bounded_holds _ (proj1 D)) as (_ & _ & _ & _ & _ & _ & _ & d & _).
    apply product_never_above; [apply mul_nonneg; lia | lia | |].
    + apply product_never_above; [lia | lia | now apply latency_never_above |
        now apply jitter_never_above].
    + apply share_below, (depth_specification_is_conservative_holds _ D).
Qed.

Lemma degraded_at_least : forall f t, share f <= t -> (degraded_true t <= degraded f)%Z.
Proof.
  intros f t le. unfold degraded_true, degraded.
  destruct (Rlt_dec t (8 / 10)) as [less |]; destruct (Z.ltb_spec f 800000) as [| more]; try lia.
  exfalso. apply IZR_le in more. unfold share in le.
  assert (IZR PPM = 1000000) as P by reflexivity. rewrite P in le. lra.
Qed.

Theorem target_is_never_above_holds : target_is_never_above.
Proof.
  intros killed r p stale R ages.
  destruct (slow_factors_are_never_above_holds r p R ages) as (two & four & five).
  pose proof (microstructure_never_above r p stale R) as three.
  pose proof (structural_ratio r p R) as [b0 _]. pose proof (microstructure_ratio r p stale R) as [c0 _].
  pose proof (environment_ratio r p R) as [d0 _]. pose proof (capital_ratio r R) as [e0 _].
  unfold target, target_true. cbv zeta.
  set (b := structural r p) in *. set (c := microstructure r p stale) in *.
  set (d := environment r p) in *. set (e := capital (drawdown_ppm r)) in *.
  set (b' := structural_true r p) in *. set (c' := microstructure_true r p stale) in *.
  set (d' := environment_true r p) in *. set (e' := capital_of_true r) in *.
  pose proof (share_nonneg b b0). pose proof (share_nonneg c c0).
  pose proof (share_nonneg d d0). pose proof (share_nonneg e e0).
  assert (share (Z.min b d) <= Rmin b' d') as least.
  { apply Rmin_glb.
    - eapply Rle_trans; [apply share_monotone, Z.le_min_l | exact two].
    - eapply Rle_trans; [apply share_monotone, Z.le_min_r | exact four]. }
  assert (0 <= Z.min b d)%Z as least0 by lia.
  destruct p.
  - assert (share (mul (mul e (Z.min b d)) c) <= e' * Rmin b' d' * c') as combined
      by (apply product_never_above; [now apply mul_nonneg | assumption | | assumption];
          now apply product_never_above).
    set (all := mul (mul e (Z.min b d)) c) in *.
    assert (0 <= all)%Z as all0 by (unfold all; apply mul_nonneg; [apply mul_nonneg |]; assumption).
    pose proof (share_nonneg all all0).
    assert (share (all / 2) <= share all / 2) as half.
    { pose proof (floor_real all 2 eq_refl). unfold share.
      assert (IZR PPM = 1000000) as P by reflexivity. rewrite P. lra. }
    assert (0 <= e' * Rmin b' d' * c') by lra.
    pose proof (degraded_at_least b b' two). pose proof (degraded_at_least c c' three).
    pose proof (degraded_at_least d d' four).
    destruct killed; [rewrite share_0; destruct (2 <=? _)%Z; lra |].
    destruct (Z.leb_spec 2 (degraded_true b' + degraded_true c' + degraded_true d'));
      destruct (Z.leb_spec 2 (degraded b + degraded c + degraded d)); lra || lia.
  - assert (share (mul (mul (mul e b) d) c) <= e' * b' * d' * c') as combined.
    { apply product_never_above;
        [apply mul_nonneg; [apply mul_nonneg |]; assumption | assumption | | assumption].
      apply product_never_above; [now apply mul_nonneg | assumption | | assumption].
      now apply product_never_above. }
    destruct killed; [| exact combined]. rewrite share_0.
    pose proof (share_nonneg (mul (mul (mul e b) d) c)) as nonneg.
    assert (0 <= mul (mul (mul e b) d) c)%Z as all0
      by (apply mul_nonneg; [apply mul_nonneg; [apply mul_nonneg |] |]; assumption).
    specialize (nonneg all0). lra.
Qed.
