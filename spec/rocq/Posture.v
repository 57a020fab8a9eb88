(** The posture machine does not chatter.

    Mirrors [kernel/posture.py]: gate_ppm, called, effective, above, counted, demoted. Bible 11.5, 11.6
    and 19.3; specification VI.2, VI.3; ADR 0022. A bar is what the machine sees of a [CloseBar]: the
    multiplier as it stands after it, and whether HIBERNATE may be left (flat and fenced). *)

From Coq Require Import ZArith Lia List Bool.
From Kernel Require Import Units.
Import ListNotations.
Open Scope Z_scope.

Inductive posture : Set := HIBERNATE | TURTLE | STALKER | APEX.

Definition rank (p : posture) : Z :=
  match p with HIBERNATE => 0 | TURTLE => 1 | STALKER => 2 | APEX => 3 end.

Definition drop (level : posture) (p : profile) : Z :=
  match p, level with
  | _, HIBERNATE => 0
  | bible, APEX => 900000
  | bible, STALKER => 750000
  | bible, TURTLE => 500000
  | specification, APEX => 850000
  | specification, STALKER => 700000
  | specification, TURTLE => 450000
  end.

Definition rise (level : posture) (p : profile) : Z :=
  match p, level with
  | bible, _ => drop level bible
  | specification, HIBERNATE => 0
  | specification, APEX => 920000
  | specification, STALKER => 770000
  | specification, TURTLE => 520000
  end.

Definition gate_ppm (level held : posture) (p : profile) : Z :=
  if rank level <=? rank held then drop level p else rise level p.

Definition called (held : posture) (multiplier : Z) (p : profile) : posture :=
  if gate_ppm APEX held p <=? multiplier then APEX
  else if gate_ppm STALKER held p <=? multiplier then STALKER
  else if gate_ppm TURTLE held p <=? multiplier then TURTLE
  else HIBERNATE.

Definition lower_of (a b : posture) : posture := if rank a <=? rank b then a else b.

Definition effective (held : posture) (multiplier : Z) (p : profile) : posture :=
  lower_of held (called held multiplier p).

Definition above (held : posture) : posture :=
  match held with HIBERNATE => TURTLE | TURTLE => STALKER | STALKER => APEX | APEX => APEX end.

Definition down_after (p : profile) : Z := match p with bible => 2 | specification => 1 end.
Definition up_after (p : profile) : Z := match p with bible => 5 | specification => 1 end.

Record machine : Set := Machine { held : posture; bars_below : Z; bars_above : Z }.

Record bar : Set := Bar { multiplier : Z; may_leave_hibernate : bool }.

Definition may_climb (m : machine) (b : bar) : bool :=
  match held m with HIBERNATE => may_leave_hibernate b | _ => true end.

(** One bar. The flag says that the fence advances and all orders are cancelled. *)
Definition counted (p : profile) (m : machine) (b : bar) : machine * bool :=
  let call := called (held m) (multiplier b) p in
  if rank call <? rank (held m) then
    if bars_below m + 1 <? down_after p then (Machine (held m) (bars_below m + 1) 0, false)
    else (Machine call 0 0, true)
  else if (rank (held m) <? rank call) && may_climb m b then
    if up_after p <=? bars_above m + 1 then (Machine (above (held m)) 0 0, false)
    else (Machine (held m) 0 (bars_above m + 1), false)
  else (Machine (held m) 0 0, false).

Definition next (p : profile) (m : machine) (b : bar) : machine := fst (counted p m b).

Fixpoint run (p : profile) (m : machine) (bars : list bar) : machine :=
  match bars with
  | [] => m
  | b :: rest => run p (next p m b) rest
  end.

(** How far each bar moved the posture: 0, 1, or a fall. *)
Fixpoint moves (p : profile) (m : machine) (bars : list bar) : list Z :=
  match bars with
  | [] => []
  | b :: rest => (rank (held (next p m b)) - rank (held m)) :: moves p (next p m b) rest
  end.

Definition calls_lower (p : profile) (m : machine) (b : bar) : bool :=
  rank (called (held m) (multiplier b) p) <? rank (held m).

Definition calls_higher (p : profile) (m : machine) (b : bar) : bool :=
  rank (held m) <? rank (called (held m) (multiplier b) p).

(** How many of the last bars, without a gap, satisfied [holds] as they were judged. *)
Fixpoint streak (holds : machine -> bar -> bool) (p : profile) (m : machine) (bars : list bar)
    (so_far : Z) : Z :=
  match bars with
  | [] => so_far
  | b :: rest => streak holds p (next p m b) rest (if holds m b then so_far + 1 else 0)
  end.

Definition within_hysteresis (p : profile) (m : machine) : Prop :=
  0 <= bars_below m < down_after p /\ 0 <= bars_above m < up_after p
  /\ (bars_below m = 0 \/ bars_above m = 0).

Definition GAP : Z := 70000.

(** * Statements *)

(** More trust never calls for a lower posture. *)
Definition called_is_monotone : Prop :=
  forall h m m' p, m <= m' -> rank (called h m p) <= rank (called h m' p).

(** No trust calls for HIBERNATE. *)
Definition nothing_calls_for_hibernate : Prop :=
  forall h m p, m <= 0 -> called h m p = HIBERNATE.

(** What an entry is judged by is never freer than what is committed or called for. *)
Definition effective_is_the_lower : Prop :=
  forall h m p, rank (effective h m p) <= rank h
    /\ rank (effective h m p) <= rank (called h m p).

(** The Schmitt gate: in the specification every drop lies seven points below its rise; in the
    bible they are one. *)
Definition gates_have_a_gap : Prop :=
  forall level, level <> HIBERNATE ->
    drop level specification + GAP = rise level specification /\ drop level bible = rise level bible.

(** A promotion climbs exactly one, and only when more was called for. *)
Definition promotion_climbs_one : Prop :=
  forall p m b, rank (held m) < rank (held (next p m b)) ->
    rank (held (next p m b)) = rank (held m) + 1
    /\ rank (held m) < rank (called (held m) (multiplier b) p) /\ may_climb m b = true.

(** A demotion goes to what is called for, and the fence advances then and only then. *)
Definition demotion_advances_the_fence : Prop :=
  forall p m b,
    (snd (counted p m b) = true <-> rank (held (next p m b)) < rank (held m))
    /\ (snd (counted p m b) = true -> held (next p m b) = called (held m) (multiplier b) p).

(** Below what is called for, or above it, the machine never moves the wrong way. *)
Definition moves_towards_the_call : Prop :=
  forall p m b,
    let call := rank (called (held m) (multiplier b) p) in
    Z.min (rank (held m)) call <= rank (held (next p m b)) <= Z.max (rank (held m)) call.

(** The counters stay below what would have moved the machine, and only one of them runs. *)
Definition counters_stay_within_hysteresis : Prop :=
  forall p m b, within_hysteresis p m -> within_hysteresis p (next p m b).

(** Specification, no chatter: while the multiplier stays within a band of the gap's width, the
    posture never turns: all its moves go one way. *)
Definition no_chatter_within_the_gap : Prop :=
  forall floor bars m,
    Forall (fun b => floor <= multiplier b < floor + GAP) bars ->
    Forall (fun move => 0 <= move) (moves specification m bars)
    \/ Forall (fun move => move <= 0) (moves specification m bars).

(** Bible, no chatter: after any change the posture holds for the next bar and does not climb for
    the next four, whatever the multiplier does: two bars to a fall, five to a climb. *)
Definition quiet_after_a_change : Prop :=
  forall m b bars,
    within_hysteresis bible m ->
    held (next bible m b) <> held m ->
    let after := next bible m b in
    ((length bars < 2)%nat -> held (run bible after bars) = held after)
    /\ ((length bars < 5)%nat -> rank (held (run bible after bars)) <= rank (held after)).

(** One bar that does not call lower forgets the bars below, and the same above. *)
Definition a_contrary_bar_forgets : Prop :=
  forall p m b,
    (rank (held m) <= rank (called (held m) (multiplier b) p) -> bars_below (next p m b) = 0)
    /\ (rank (called (held m) (multiplier b) p) <= rank (held m) -> bars_above (next p m b) = 0).

(** A change needs its whole streak: two bars in a row that call lower, or five that call higher
    (bible). A multiplier that looks below a gate only every other bar never demotes. *)
Definition a_change_needs_its_streak : Prop :=
  forall p m bars b, bars_below m = 0 -> bars_above m = 0 ->
    let before := run p m bars in
    (rank (held (next p before b)) < rank (held before) ->
       down_after p <= streak (calls_lower p) p m (bars ++ [b]) 0)
    /\ (rank (held before) < rank (held (next p before b)) ->
       up_after p <= streak (calls_higher p) p m (bars ++ [b]) 0).

(** * Proofs *)

Ltac decide_all :=
  repeat match goal with
  | |- context [?a <=? ?b] => destruct (Z.leb_spec a b)
  | |- context [?a <? ?b] => destruct (Z.ltb_spec a b)
  | H : context [?a <=? ?b] |- _ => destruct (Z.leb_spec a b)
  | H : context [?a <? ?b] |- _ => destruct (Z.ltb_spec a b)
  end.

Lemma rank_range : forall p, 0 <= rank p <= 3.
Proof. destruct p; simpl; lia. Qed.

Lemma rank_above : forall p, p <> APEX -> rank (above p) = rank p + 1.
Proof. destruct p; simpl; intros; congruence || lia. Qed.

Theorem called_is_monotone_holds : called_is_monotone.
Proof.
  intros h m m' p le. unfold called.
  assert (forall level, 0 <= rank level) by (destruct level; simpl; lia).
  decide_all; simpl; lia.
Qed.

Theorem nothing_calls_for_hibernate_holds : nothing_calls_for_hibernate.
Proof.
  intros h m p none. unfold called, gate_ppm.
  destruct h, p; simpl; decide_all; (reflexivity || lia).
Qed.

Theorem effective_is_the_lower_holds : effective_is_the_lower.
Proof. intros h m p. unfold effective, lower_of. decide_all; lia. Qed.

Theorem gates_have_a_gap_holds : gates_have_a_gap.
Proof. intros level real. unfold GAP. destruct level; simpl; split; congruence || lia. Qed.

(** The machine by cases, once: what the next machine is, and when. *)
Inductive one_bar (p : profile) (m : machine) (b : bar) : machine * bool -> Prop :=
| waits_below :
    rank (called (held m) (multiplier b) p) < rank (held m) -> bars_below m + 1 < down_after p ->
    one_bar p m b (Machine (held m) (bars_below m + 1) 0, false)
| falls :
    rank (called (held m) (multiplier b) p) < rank (held m) -> down_after p <= bars_below m + 1 ->
    one_bar p m b (Machine (called (held m) (multiplier b) p) 0 0, true)
| climbs :
    rank (held m) < rank (called (held m) (multiplier b) p) -> may_climb m b = true ->
    up_after p <= bars_above m + 1 ->
    one_bar p m b (Machine (above (held m)) 0 0, false)
| waits_above :
    rank (held m) < rank (called (held m) (multiplier b) p) -> may_climb m b = true ->
    bars_above m + 1 < up_after p ->
    one_bar p m b (Machine (held m) 0 (bars_above m + 1), false)
| rests :
    rank (held m) <= rank (called (held m) (multiplier b) p) ->
    rank (called (held m) (multiplier b) p) <= rank (held m) \/ may_climb m b = false ->
    one_bar p m b (Machine (held m) 0 0, false).

Lemma counted_cases : forall p m b, one_bar p m b (counted p m b).
Proof.
  intros p m b. unfold counted. cbv zeta.
  destruct (Z.ltb_spec (rank (called (held m) (multiplier b) p)) (rank (held m))).
  - destruct (Z.ltb_spec (bars_below m + 1) (down_after p)); constructor; assumption.
  - destruct (Z.ltb_spec (rank (held m)) (rank (called (held m) (multiplier b) p)));
      destruct (may_climb m b) eqn:climb; cbn [andb].
    + destruct (Z.leb_spec (up_after p) (bars_above m + 1)); constructor; assumption.
    + apply rests; [lia | now right].
    + apply rests; [lia | left; lia].
    + apply rests; [lia | now right].
Qed.

Lemma climbing_from : forall m b p,
  rank (held m) < rank (called (held m) (multiplier b) p) ->
  rank (above (held m)) = rank (held m) + 1.
Proof.
  intros m b p more. apply rank_above. intros top. rewrite top in more.
  pose proof (rank_range (called APEX (multiplier b) p)). simpl in more. lia.
Qed.

Ltac fields := cbn [fst snd held bars_below bars_above down_after up_after] in *.

Theorem promotion_climbs_one_holds : promotion_climbs_one.
Proof.
  intros p m b. unfold next. destruct (counted_cases p m b); simpl; intros up; try lia.
  repeat split; try assumption. eapply climbing_from; eassumption.
Qed.

Theorem demotion_advances_the_fence_holds : demotion_advances_the_fence.
Proof.
  intros p m b. unfold next. destruct (counted_cases p m b) as [| |more| |]; simpl;
    repeat split; intros; try congruence; try lia.
  pose proof (climbing_from _ _ _ more). lia.
Qed.

Theorem moves_towards_the_call_holds : moves_towards_the_call.
Proof.
  intros p m b. unfold next. cbv zeta.
  destruct (counted_cases p m b) as [| |more| |]; simpl; try lia.
  pose proof (climbing_from _ _ _ more). lia.
Qed.

Theorem counters_stay_within_hysteresis_holds : counters_stay_within_hysteresis.
Proof.
  intros p m b. unfold within_hysteresis, next. intros within.
  assert (0 < down_after p /\ 0 < up_after p) by (destruct p; simpl; lia).
  destruct (counted_cases p m b); simpl; lia.
Qed.

Theorem a_contrary_bar_forgets_holds : a_contrary_bar_forgets.
Proof.
  intros p m b. unfold next. destruct (counted_cases p m b); simpl; split; intros; lia.
Qed.

Lemma called_fails : forall h m p level, rank (called h m p) < rank level ->
  m < gate_ppm level h p.
Proof.
  intros h m p level. unfold called. pose proof (rank_range h).
  destruct p, h, level; unfold gate_ppm; simpl; decide_all; simpl; lia.
Qed.

Lemma called_passes : forall h m p, gate_ppm (called h m p) h p <= m \/ called h m p = HIBERNATE.
Proof.
  intros h m p. unfold called.
  destruct (Z.leb_spec (gate_ppm APEX h p) m); [now left |].
  destruct (Z.leb_spec (gate_ppm STALKER h p) m); [now left |].
  destruct (Z.leb_spec (gate_ppm TURTLE h p) m); [now left | now right].
Qed.

(** In the specification one bar is believed. *)
Lemma specification_falls : forall m b, 0 <= bars_below m -> 0 <= bars_above m ->
  rank (held (next specification m b)) < rank (held m) ->
  held (next specification m b) = called (held m) (multiplier b) specification.
Proof.
  intros m b B A. unfold next. destruct (counted_cases specification m b) as [| |more| |];
    simpl; intros; try lia; try reflexivity.
  pose proof (climbing_from _ _ _ more). lia.
Qed.

(** The level above the one held, when the machine has just climbed or fallen. *)
Lemma climb_needs_rise : forall m b p, rank (held m) < rank (held (next p m b)) ->
  rise (held (next p m b)) p <= multiplier b.
Proof.
  intros m b p. unfold next. destruct (counted_cases p m b) as [| |more| |]; simpl; intros; try lia.
  pose proof (climbing_from _ _ _ more) as one.
  assert (called (held m) (multiplier b) p <> HIBERNATE) as real
    by (intros none; rewrite none in more; pose proof (rank_range (held m)); simpl in more; lia).
  destruct (called_passes (held m) (multiplier b) p) as [passes | none]; [| contradiction].
  revert more one real passes. unfold gate_ppm.
  generalize (called (held m) (multiplier b) p). generalize (held m).
  intros h call. destruct h, call, p; simpl; intros; congruence || lia.
Qed.

Lemma fall_needs_drop : forall m b p level, rank (held (next p m b)) < rank (held m) ->
  rank (held (next p m b)) < rank level <= rank (held m) -> multiplier b < drop level p.
Proof.
  intros m b p level. unfold next. destruct (counted_cases p m b) as [| |more| |];
    simpl; intros down between; try lia.
  - pose proof (called_fails (held m) (multiplier b) p level) as fails.
    unfold gate_ppm in fails. destruct (Z.leb_spec (rank level) (rank (held m))); lia.
  - pose proof (climbing_from _ _ _ more). lia.
Qed.

(** While every bar is at or above the drop of the posture held, nothing falls; each climb
    brings the drop of the new posture below the band as well. *)
Lemma never_falls : forall floor bars m,
  Forall (fun b => floor <= multiplier b < floor + GAP) bars ->
  drop (held m) specification <= floor ->
  Forall (fun move => 0 <= move) (moves specification m bars).
Proof.
  intros floor bars. induction bars as [| b rest IH]; intros m band safe; [constructor |].
  inversion band as [| first others inside later]; subst.
  assert (rank (held m) <= rank (held (next specification m b))) as up.
  { destruct (Z.le_gt_cases (rank (held m)) (rank (held (next specification m b)))); [lia |].
    pose proof (fall_needs_drop m b specification (held m) ltac:(lia) ltac:(lia)). lia. }
  simpl. constructor; [lia |]. apply IH; [assumption |].
  destruct (Z.eq_dec (rank (held m)) (rank (held (next specification m b)))) as [same | moved].
  - assert (held m = held (next specification m b)) as <-
      by (destruct (held m), (held (next specification m b)); simpl in same; congruence).
    assumption.
  - pose proof (climb_needs_rise m b specification ltac:(lia)) as needs.
    assert (held (next specification m b) <> HIBERNATE) as real
      by (intros none; rewrite none in *; pose proof (rank_range (held m)); simpl in *; lia).
    pose proof (gates_have_a_gap_holds _ real). lia.
Qed.

(** While every bar is below the rise of the next posture, nothing climbs. *)
Lemma never_climbs : forall floor bars m,
  Forall (fun b => floor <= multiplier b < floor + GAP) bars ->
  (forall level, rank (held m) < rank level -> floor + GAP <= rise level specification) ->
  Forall (fun move => move <= 0) (moves specification m bars).
Proof.
  intros floor bars. induction bars as [| b rest IH]; intros m band safe; [constructor |].
  inversion band as [| first others inside later]; subst.
  assert (rank (held (next specification m b)) <= rank (held m)) as down.
  { destruct (Z.le_gt_cases (rank (held (next specification m b))) (rank (held m))); [lia |].
    pose proof (climb_needs_rise m b specification ltac:(lia)).
    pose proof (safe (held (next specification m b)) ltac:(lia)). lia. }
  simpl. constructor; [lia |]. apply IH; [assumption |].
  intros level higher.
  destruct (Z.lt_ge_cases (rank (held m)) (rank level)) as [beyond | between]; [now apply safe |].
  assert (rank (held (next specification m b)) < rank (held m)) as fell by lia.
  pose proof (fall_needs_drop m b specification level fell ltac:(lia)) as needs.
  assert (level <> HIBERNATE) as real
    by (intros none; rewrite none in higher;
        pose proof (rank_range (held (next specification m b))); simpl in higher; lia).
  pose proof (gates_have_a_gap_holds _ real). lia.
Qed.

Theorem no_chatter_within_the_gap_holds : no_chatter_within_the_gap.
Proof.
  intros floor bars. induction bars as [| b rest IH]; intros m band; [left; constructor |].
  inversion band as [| first others inside later]; subst.
  destruct (Z.lt_trichotomy (rank (held (next specification m b))) (rank (held m)))
    as [down | [same | up]].
  - right. simpl. constructor; [lia |]. apply (never_climbs floor); [assumption |].
    intros level higher.
    assert (level <> HIBERNATE) as real
      by (intros none; rewrite none in higher;
          pose proof (rank_range (held (next specification m b))); simpl in higher; lia).
    pose proof (gates_have_a_gap_holds _ real).
    destruct (Z.le_gt_cases (rank level) (rank (held m))) as [| beyond].
    + pose proof (fall_needs_drop m b specification level down ltac:(lia)). lia.
    + (* above the posture that fell: its gates lie higher still *)
      pose proof (fall_needs_drop m b specification (held m) down ltac:(lia)) as needs.
      revert needs beyond. generalize (held m). intros h needs beyond. unfold GAP in *.
      destruct h, level; simpl in *; lia.
  - destruct (IH (next specification m b) later) as [ups | downs].
    + left. simpl. constructor; [lia | assumption].
    + right. simpl. constructor; [lia | assumption].
  - left. simpl. constructor; [lia |]. apply (never_falls floor); [assumption |].
    pose proof (climb_needs_rise m b specification up).
    assert (held (next specification m b) <> HIBERNATE) as real
      by (intros none; rewrite none in up; pose proof (rank_range (held m)); simpl in up; lia).
    pose proof (gates_have_a_gap_holds _ real). lia.
Qed.

(** The bible's counters count bars: [k] bars add at most [k]. *)
Lemma counters_grow_by_one : forall p m b, 0 <= bars_below m -> 0 <= bars_above m ->
  0 <= bars_below (next p m b) <= bars_below m + 1
  /\ 0 <= bars_above (next p m b) <= bars_above m + 1.
Proof. intros p m b B A. unfold next. destruct (counted_cases p m b); simpl; lia. Qed.

Lemma no_fall_yet : forall m b, bars_below m + 1 < 2 ->
  rank (held m) <= rank (held (next bible m b)).
Proof.
  intros m b few. unfold next. destruct (counted_cases bible m b) as [| |more| |]; fields; try lia.
  pose proof (climbing_from _ _ _ more). lia.
Qed.

Lemma no_climb_yet : forall m b, bars_above m + 1 < 5 ->
  rank (held (next bible m b)) <= rank (held m).
Proof.
  intros m b few. unfold next. destruct (counted_cases bible m b); fields; lia.
Qed.

(** A fall resets the bars above, so it never brings a climb nearer. *)
Lemma quiet_run : forall bars m, 0 <= bars_below m -> 0 <= bars_above m ->
  bars_above m + Z.of_nat (length bars) < 5 ->
  rank (held (run bible m bars)) <= rank (held m).
Proof.
  induction bars as [| b rest IH]; intros m B A few; simpl run; [lia |].
  simpl length in few. rewrite Nat2Z.inj_succ in few.
  pose proof (counters_grow_by_one bible m b B A).
  pose proof (no_climb_yet m b ltac:(lia)).
  specialize (IH (next bible m b) ltac:(lia) ltac:(lia) ltac:(lia)). lia.
Qed.

Lemma rank_determines : forall a b, rank a = rank b -> a = b.
Proof. destruct a, b; simpl; intros; congruence || lia. Qed.

Theorem quiet_after_a_change_holds : quiet_after_a_change.
Proof.
  intros m b bars within changed after.
  assert (bars_below after = 0 /\ bars_above after = 0) as [B A].
  { unfold after, next in *. destruct (counted_cases bible m b); simpl in *; congruence || auto. }
  split; intros few.
  - destruct bars as [| c rest]; [reflexivity |]. destruct rest; [| simpl in few; lia].
    simpl run. apply rank_determines.
    pose proof (no_fall_yet after c ltac:(lia)). pose proof (no_climb_yet after c ltac:(lia)). lia.
  - apply quiet_run; lia.
Qed.

Lemma streak_of_one_more : forall holds p bars b m so_far,
  streak holds p m (bars ++ [b]) so_far
  = if holds (run p m bars) b then streak holds p m bars so_far + 1 else 0.
Proof.
  intros holds p bars b. induction bars as [| c rest IH]; intros m so_far; [reflexivity |].
  simpl. apply IH.
Qed.

Lemma counters_are_streaks : forall p bars m below_so_far above_so_far,
  0 <= bars_below m <= below_so_far -> 0 <= bars_above m <= above_so_far ->
  bars_below (run p m bars) <= streak (calls_lower p) p m bars below_so_far
  /\ bars_above (run p m bars) <= streak (calls_higher p) p m bars above_so_far.
Proof.
  intros p bars. induction bars as [| b rest IH]; intros m x y B A; [simpl; lia |].
  simpl. apply IH; unfold next, calls_lower, calls_higher;
    destruct (counted_cases p m b); decide_all; simpl; lia.
Qed.

Theorem a_change_needs_its_streak_holds : a_change_needs_its_streak.
Proof.
  intros p m bars b B A before. rewrite !streak_of_one_more. fold before.
  pose proof (counters_are_streaks p bars m 0 0 ltac:(lia) ltac:(lia)) as [below above].
  fold before in below, above. unfold calls_lower at 1, calls_higher at 1, next.
  destruct (counted_cases p before b) as [| |more| |]; simpl; split; intros; try lia; decide_all; try lia.
  pose proof (climbing_from _ _ _ more). lia.
Qed.
