(** Fast attack, slow recovery.

    Mirrors [recovery_step], [lower] and [recovered] of [kernel/survival.py] on the two numbers that
    they look at: the multiplier and the target it is called to. Bible 11.4, specification VI.3. *)

From Coq Require Import ZArith Lia List.
From Kernel Require Import Units.
Import ListNotations.
Open Scope Z_scope.

Definition RECOVERY_BIBLE_MS_PER_PPM : Z := 3.
Definition RECOVERY_SPECIFICATION_MS_PER_PPM : Z := 6.
Definition RECOVERY_MS_MAX : Z := 300000.

Definition recovery_step (dt gap : Z) (p : profile) : Z :=
  let credited := Z.min dt RECOVERY_MS_MAX in
  match p with
  | specification => Z.min gap (credited / RECOVERY_SPECIFICATION_MS_PER_PPM)
  | bible => mul (credited / RECOVERY_BIBLE_MS_PER_PPM) gap
  end.

Definition lower (multiplier target : Z) : Z :=
  if multiplier <=? target then multiplier else target.

Definition recovered (multiplier target dt : Z) (p : profile) : Z :=
  if target <=? multiplier then target
  else multiplier + recovery_step dt (target - multiplier) p.

(** Bars in a row: each a length and the target it ends with. *)
Fixpoint after_bars (multiplier : Z) (bars : list (Z * Z)) (p : profile) : Z :=
  match bars with
  | [] => multiplier
  | (dt, target) :: rest => after_bars (recovered multiplier target dt p) rest p
  end.

Fixpoint total_ms (bars : list (Z * Z)) : Z :=
  match bars with
  | [] => 0
  | (dt, _) :: rest => dt + total_ms rest
  end.

Definition ms_per_ppm (p : profile) : Z :=
  match p with
  | bible => RECOVERY_BIBLE_MS_PER_PPM
  | specification => RECOVERY_SPECIFICATION_MS_PER_PPM
  end.

(** * Statements *)

(** A lower target is reached within the step that lowered it, by a reading and by a bar. *)
Definition fast_attack : Prop :=
  forall multiplier target dt p, target <= multiplier ->
    lower multiplier target = target /\ recovered multiplier target dt p = target.

(** A reading never raises the multiplier. *)
Definition reading_never_raises : Prop :=
  forall multiplier target, lower multiplier target <= multiplier.

(** A step is never negative and never more than the gap. *)
Definition step_within_gap : Prop :=
  forall dt gap p, 0 <= dt -> 0 <= gap ->
    0 <= recovery_step dt gap p <= gap.

(** Wherever it stood, after a reading or a bar the multiplier is not above the target. *)
Definition never_above_target : Prop :=
  forall multiplier target dt p, 0 <= dt ->
    lower multiplier target <= target /\ recovered multiplier target dt p <= target.

(** A rise ends between where it began and the target: it neither falls nor overshoots. *)
Definition no_overshoot : Prop :=
  forall multiplier target dt p, 0 <= dt -> multiplier <= target ->
    multiplier <= recovered multiplier target dt p <= target.

(** A bar raises the multiplier by at most the step that the whole range would earn. *)
Definition slow_recovery : Prop :=
  forall multiplier target dt p, 0 <= dt -> 0 <= multiplier -> target <= PPM ->
    recovered multiplier target dt p <= multiplier + recovery_step dt PPM p.

(** However the bars are cut, the rise is paid for in market time: bible 3 ms a ppm (2 % a
    minute), specification 6 ms a ppm (1 % a minute). A flood of bars earns nothing. *)
Definition rise_is_paid_in_time : Prop :=
  forall p bars multiplier, 0 <= multiplier ->
    Forall (fun bar => 0 <= fst bar /\ 0 <= snd bar <= PPM) bars ->
    ms_per_ppm p * (after_bars multiplier bars p - multiplier) <= total_ms bars.

(** However long the bar, it earns what five minutes do: a tenth (bible), a twentieth. *)
Definition long_bar_is_capped : Prop :=
  forall dt p, 0 <= dt ->
    recovery_step dt PPM p <= match p with bible => 100000 | specification => 50000 end.

(** A wider gap or a longer bar never earns less. *)
Definition step_is_monotone : Prop :=
  forall dt dt' gap gap' p, 0 <= dt <= dt' -> 0 <= gap <= gap' ->
    recovery_step dt gap p <= recovery_step dt' gap' p.

(** Specification: every bar of 6 ms or more rises while there is a gap. *)
Definition specification_always_rises : Prop :=
  forall multiplier target dt, 6 <= dt -> multiplier < target ->
    multiplier < recovered multiplier target dt specification.

(** Bible: the floor ends the rise a little short, by less than 1 ppm / the bar's share. At bars
    of 5 s that is 600 ppm. Short, never past. *)
Definition bible_ends_short_of_the_target : Prop :=
  forall multiplier target, multiplier < target -> target - multiplier <= 600 ->
    recovered multiplier target 5000 bible = multiplier.

(** * Proofs *)

Lemma credited_range : forall dt, 0 <= dt -> 0 <= Z.min dt RECOVERY_MS_MAX <= 300000.
Proof. unfold RECOVERY_MS_MAX. lia. Qed.

Lemma share_range : forall dt, 0 <= dt ->
  0 <= Z.min dt RECOVERY_MS_MAX / RECOVERY_BIBLE_MS_PER_PPM <= 100000.
Proof.
  intros dt D. pose proof (credited_range dt D). unfold RECOVERY_BIBLE_MS_PER_PPM.
  split; [apply div_above | apply div_below]; lia.
Qed.

Theorem step_within_gap_holds : step_within_gap.
Proof.
  intros dt gap p D G. pose proof (share_range dt D). pose proof (credited_range dt D).
  destruct p; unfold recovery_step.
  - unfold mul, PPM. set (share := Z.min dt RECOVERY_MS_MAX / RECOVERY_BIBLE_MS_PER_PPM) in *.
    split; [apply div_above | apply div_below]; nia.
  - assert (0 <= Z.min dt RECOVERY_MS_MAX / RECOVERY_SPECIFICATION_MS_PER_PPM)
      by (apply div_above; unfold RECOVERY_SPECIFICATION_MS_PER_PPM; lia).
    lia.
Qed.

Theorem fast_attack_holds : fast_attack.
Proof.
  intros multiplier target dt p le. unfold lower, recovered.
  destruct (Z.leb_spec multiplier target); destruct (Z.leb_spec target multiplier); lia.
Qed.

Theorem reading_never_raises_holds : reading_never_raises.
Proof. intros multiplier target. unfold lower. destruct (Z.leb_spec multiplier target); lia. Qed.

Theorem no_overshoot_holds : no_overshoot.
Proof.
  intros multiplier target dt p D le. unfold recovered.
  destruct (Z.leb_spec target multiplier); [lia |].
  pose proof (step_within_gap_holds dt (target - multiplier) p D). lia.
Qed.

Theorem never_above_target_holds : never_above_target.
Proof.
  intros multiplier target dt p D. split.
  - unfold lower. destruct (Z.leb_spec multiplier target); lia.
  - destruct (Z.le_gt_cases multiplier target).
    + pose proof (no_overshoot_holds multiplier target dt p). lia.
    + unfold recovered. destruct (Z.leb_spec target multiplier); lia.
Qed.

Theorem step_is_monotone_holds : step_is_monotone.
Proof.
  intros dt dt' gap gap' p D G. unfold recovery_step.
  assert (Z.min dt RECOVERY_MS_MAX <= Z.min dt' RECOVERY_MS_MAX) by lia.
  destruct p.
  - assert (0 <= dt) as D' by lia. pose proof (share_range dt D').
    apply mul_is_monotone_holds; [| lia].
    split; [lia |]. apply Z.div_le_mono; [reflexivity | lia].
  - assert (Z.min dt RECOVERY_MS_MAX / RECOVERY_SPECIFICATION_MS_PER_PPM
            <= Z.min dt' RECOVERY_MS_MAX / RECOVERY_SPECIFICATION_MS_PER_PPM)
      by (apply Z.div_le_mono; [reflexivity | lia]).
    lia.
Qed.

Lemma recovered_is_not_negative : forall multiplier target dt p,
  0 <= dt -> 0 <= multiplier -> 0 <= target -> 0 <= recovered multiplier target dt p.
Proof.
  intros multiplier target dt p D M T. unfold recovered.
  destruct (Z.leb_spec target multiplier); [lia |].
  pose proof (step_within_gap_holds dt (target - multiplier) p D). lia.
Qed.

Theorem slow_recovery_holds : slow_recovery.
Proof.
  intros multiplier target dt p D M T. unfold recovered.
  assert (0 <= recovery_step dt PPM p)
    by (apply step_within_gap_holds; [lia | unfold PPM; lia]).
  destruct (Z.leb_spec target multiplier); [lia |].
  pose proof (step_is_monotone_holds dt dt (target - multiplier) PPM p). lia.
Qed.

Theorem long_bar_is_capped_holds : long_bar_is_capped.
Proof.
  intros dt p D. pose proof (share_range dt D). pose proof (credited_range dt D).
  destruct p; unfold recovery_step.
  - unfold mul. apply div_below; unfold PPM; lia.
  - assert (Z.min dt RECOVERY_MS_MAX / RECOVERY_SPECIFICATION_MS_PER_PPM <= 50000)
      by (apply div_below; unfold RECOVERY_SPECIFICATION_MS_PER_PPM; lia).
    lia.
Qed.

Lemma step_is_paid : forall dt p, 0 <= dt -> ms_per_ppm p * recovery_step dt PPM p <= dt.
Proof.
  intros dt p D. pose proof (credited_range dt D). destruct p; unfold recovery_step, ms_per_ppm.
  - unfold mul, RECOVERY_BIBLE_MS_PER_PPM. rewrite Z.div_mul by (unfold PPM; lia).
    pose proof (div_floor (Z.min dt RECOVERY_MS_MAX) 3). lia.
  - unfold RECOVERY_SPECIFICATION_MS_PER_PPM.
    pose proof (div_floor (Z.min dt RECOVERY_MS_MAX) 6). lia.
Qed.

Theorem rise_is_paid_in_time_holds : rise_is_paid_in_time.
Proof.
  intros p bars. induction bars as [| [dt target] rest IH]; intros multiplier M bounded.
  - simpl. lia.
  - inversion bounded as [| bar others [D T] later]; subst. simpl in D, T.
    assert (0 <= recovered multiplier target dt p) as M'
      by (apply recovered_is_not_negative; lia).
    specialize (IH _ M' later). simpl after_bars. simpl total_ms.
    pose proof (slow_recovery_holds multiplier target dt p D M). pose proof (step_is_paid dt p D).
    assert (0 < ms_per_ppm p) by (destruct p; reflexivity). nia.
Qed.

Theorem specification_always_rises_holds : specification_always_rises.
Proof.
  intros multiplier target dt D gap. unfold recovered, recovery_step.
  destruct (Z.leb_spec target multiplier); [lia |].
  assert (1 <= Z.min dt RECOVERY_MS_MAX / RECOVERY_SPECIFICATION_MS_PER_PPM)
    by (apply div_above; unfold RECOVERY_MS_MAX, RECOVERY_SPECIFICATION_MS_PER_PPM; lia).
  lia.
Qed.

Theorem bible_ends_short_of_the_target_holds : bible_ends_short_of_the_target.
Proof.
  intros multiplier target gap near. unfold recovered, recovery_step, mul, PPM.
  destruct (Z.leb_spec target multiplier); [lia |].
  change (Z.min 5000 RECOVERY_MS_MAX / RECOVERY_BIBLE_MS_PER_PPM) with 1666.
  rewrite Z.div_small by lia. lia.
Qed.
