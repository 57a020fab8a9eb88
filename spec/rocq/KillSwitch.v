(** Category 1 always answers, and it answers in the same step.

    Mirrors [kernel/killswitch.py] and the re-arm of [kernel/rearm.py], with the two moves of the other
    categories that could raise the multiplier or the posture: a closed bar ([CloseBar]) and a
    reading ([Lower]). What the sensors call for is a parameter of those two: nothing is assumed of
    it, but that a killed kernel calls for 0 ([target] of [kernel/survival.py]).

    Python's tuples are lists here and an index is [nth_error]: [None] is the exception that Python
    would raise. So "no panic" is a theorem and not a property of the notation. *)

From Coq Require Import ZArith Lia List Bool.
From Kernel Require Import Units Recovery Posture.
Import ListNotations.
Open Scope Z_scope.

Definition AGE_MS_MAX : Z := 1000000000.
Definition GRID_MEMBERS_MAX : Z := 1000.
Definition TIME_MS_MAX : Z := 4000000000000.
Definition OPERATOR_MAX : Z := 65535.
Definition REASON_MAX : Z := 9223372036854775807.
Definition HEARTBEAT_MS_MAX : Z := 30000.

Record limits : Set := Limits {
  session : profile; live : bool; grid_in_use : bool; heartbeat_limit_ms : list Z;
  cooling_ms : Z; confirm_window_ms : Z; bar_ms_min : Z }.

Record switch : Set := Switch {
  heartbeat_age_ms : list Z; grid_members : Z;
  latched_checksum : bool; latched_desync : bool; latched_operator : bool;
  journal_writable : bool; killed : bool; operator_request : Z; operator_request_age_ms : Z }.

Record state : Set := State {
  process_time_ms : Z; market_time_ms : Z; killswitch : switch; multiplier_ppm : Z;
  postures : machine; fence_epoch : Z; fence_confirmed : bool }.

Inductive event : Set :=
| AdvanceTime (process_time : Z)
| RecordHeartbeat (partition : Z)
| ReportGrid (members : Z)
| TripKillSwitch (cause operator reason : Z)
| Desynchronise                             (* a fill that was not permitted, another book *)
| FailJournal
| RestoreJournal
| RestartKernel
| RequestRearm (operator reason : Z)
| ConfirmRearm (operator reason : Z)
| RequestPeakReset (operator reason : Z) (flat : bool)
| ConfirmPeakReset (operator reason : Z) (flat : bool) (called_for : Z)
| Lower (called_for : Z)                    (* a reading, a mark, a fill *)
| ConfirmFence
| CloseBar (market_time called_for : Z) (flat : bool).

Inductive reason : Set :=
| MALFORMED | TIME_BACKWARDS | BAR_TOO_SHORT | MARKET_TIME_AHEAD | NOTHING_TO_REARM | NO_REQUEST
| COOLING | REQUEST_EXPIRED | JOURNAL_DOWN | NOT_FLAT | STALE_EPOCH.

Inductive answer : Set :=
| Accepted (after : state) (cancel_all_orders : bool)
| Refused (why : reason).

Notation "x <- a ;; b" := (match a with Some x => b | None => None end)
  (at level 61, a at next level, right associativity).

Definition older (age dt : Z) : Z := Z.min (age + dt) AGE_MS_MAX.
Definition within (value low high : Z) : bool := (low <=? value) && (value <=? high).

Definition late_at (index : nat) (ages limits : list Z) : option bool :=
  age <- nth_error ages index ;; limit <- nth_error limits index ;; Some (limit <? age).

(** Short-circuit, as Python's [or]. *)
Definition or_else (first second : option bool) : option bool :=
  yes <- first ;; if yes then Some true else second.

Definition heartbeat_late (ages limits : list Z) : option bool :=
  or_else (late_at 0 ages limits)
    (or_else (late_at 1 ages limits) (or_else (late_at 2 ages limits) (late_at 3 ages limits))).

Definition latched (k : switch) : bool :=
  latched_checksum k || latched_desync k || latched_operator k.

Definition cause_active (l : limits) (k : switch) : option bool :=
  or_else (Some (latched k))
    (or_else (heartbeat_late (heartbeat_age_ms k) (heartbeat_limit_ms l))
       (Some (grid_in_use l && (grid_members k <? 1)))).

Definition with_killed (k : switch) (b : bool) : switch :=
  Switch (heartbeat_age_ms k) (grid_members k) (latched_checksum k) (latched_desync k)
    (latched_operator k) (journal_writable k) b (operator_request k) (operator_request_age_ms k).

Definition with_latches (k : switch) (checksum desync by_operator writable : bool) : switch :=
  Switch (heartbeat_age_ms k) (grid_members k) checksum desync by_operator writable (killed k)
    (operator_request k) (operator_request_age_ms k).

Definition with_ages (k : switch) (ages : list Z) (request_age : Z) : switch :=
  Switch ages (grid_members k) (latched_checksum k) (latched_desync k) (latched_operator k)
    (journal_writable k) (killed k) (operator_request k) request_age.

Definition with_members (k : switch) (members : Z) : switch :=
  Switch (heartbeat_age_ms k) members (latched_checksum k) (latched_desync k) (latched_operator k)
    (journal_writable k) (killed k) (operator_request k) (operator_request_age_ms k).

Definition with_request (k : switch) (request : Z) : switch :=
  Switch (heartbeat_age_ms k) (grid_members k) (latched_checksum k) (latched_desync k)
    (latched_operator k) (journal_writable k) (killed k) request 0.

Definition with_killswitch (s : state) (k : switch) : state :=
  State (process_time_ms s) (market_time_ms s) k (multiplier_ppm s) (postures s) (fence_epoch s)
    (fence_confirmed s).

Definition with_multiplier (s : state) (m : Z) : state :=
  State (process_time_ms s) (market_time_ms s) (killswitch s) m (postures s) (fence_epoch s)
    (fence_confirmed s).

Definition with_times (s : state) (process market : Z) : state :=
  State process market (killswitch s) (multiplier_ppm s) (postures s) (fence_epoch s)
    (fence_confirmed s).

Definition hibernate (s : state) (fence : bool) : state :=
  State (process_time_ms s) (market_time_ms s) (killswitch s) 0 (Machine HIBERNATE 0 0)
    (if fence then fence_epoch s + 1 else fence_epoch s)
    (if fence then false else fence_confirmed s).

Definition is_hibernate (p : posture) : bool := match p with HIBERNATE => true | _ => false end.

(** The only place where [killed] changes, but for a restart. *)
Definition settle (l : limits) (s : state) : option answer :=
  now <- cause_active l (killswitch s) ;;
  let after := with_killswitch s (with_killed (killswitch s) now) in
  if negb now || killed (killswitch s) then Some (Accepted after false)
  else
    let fence := negb (is_hibernate (held (postures s))) in
    Some (Accepted (hibernate after fence) fence).

Definition target (s : state) (called_for : Z) : Z :=
  if killed (killswitch s) then 0 else called_for.

Definition lowered (s : state) (called_for : Z) : state :=
  with_multiplier s (lower (multiplier_ppm s) (target s called_for)).

(** The shell may trip as operator 0; what undoes a kill needs a person. *)
Definition act_fits (lowest operator why : Z) : bool :=
  within operator lowest OPERATOR_MAX && within why 0 REASON_MAX.

Definition confirm_verdict (l : limits) (k : switch) (request : Z) : option reason :=
  if negb (operator_request k =? request) then Some NO_REQUEST
  else if operator_request_age_ms k <? cooling_ms l then Some COOLING
  else if confirm_window_ms l <? operator_request_age_ms k then Some REQUEST_EXPIRED
  else if negb (journal_writable k) then Some JOURNAL_DOWN
  else None.

Definition advance_time (l : limits) (s : state) (time : Z) : option answer :=
  let dt := time - process_time_ms s in
  if dt <? 0 then Some (Refused TIME_BACKWARDS)
  else
    let k := killswitch s in
    a <- nth_error (heartbeat_age_ms k) 0 ;; b <- nth_error (heartbeat_age_ms k) 1 ;;
    c <- nth_error (heartbeat_age_ms k) 2 ;; d <- nth_error (heartbeat_age_ms k) 3 ;;
    let request_age :=
      if operator_request k =? 0 then 0 else older (operator_request_age_ms k) dt in
    let aged := with_ages k [older a dt; older b dt; older c dt; older d dt] request_age in
    settle l (with_times (with_killswitch s aged) time (market_time_ms s)).

Definition record_heartbeat (l : limits) (s : state) (partition : Z) : option answer :=
  let k := killswitch s in
  a <- nth_error (heartbeat_age_ms k) 0 ;; b <- nth_error (heartbeat_age_ms k) 1 ;;
  c <- nth_error (heartbeat_age_ms k) 2 ;; d <- nth_error (heartbeat_age_ms k) 3 ;;
  let fresh index age := if partition =? index then 0 else age in
  settle l (with_killswitch s
    (with_ages k [fresh 0 a; fresh 1 b; fresh 2 c; fresh 3 d] (operator_request_age_ms k))).

Definition restart (l : limits) (s : state) : option answer :=
  let k := with_request (with_ages (killswitch s) [0; 0; 0; 0] 0) 0 in
  now <- cause_active l k ;;
  Some (Accepted (hibernate (with_killswitch s (with_killed k now)) true) true).

Definition close_bar (l : limits) (s : state) (time called_for : Z) (flat : bool)
    : option answer :=
  let dt := time - market_time_ms s in
  if dt <? 0 then Some (Refused TIME_BACKWARDS)
  else if dt <? bar_ms_min l then Some (Refused BAR_TOO_SHORT)
  else if live l && (process_time_ms s <? time) then Some (Refused MARKET_TIME_AHEAD)
  else
    let multiplier := recovered (multiplier_ppm s) (target s called_for) dt (session l) in
    let (machine, fence) :=
      counted (session l) (postures s) (Bar multiplier (flat && fence_confirmed s)) in
    Some (Accepted
      (State (process_time_ms s) time (killswitch s) multiplier machine
         (if fence then fence_epoch s + 1 else fence_epoch s)
         (if fence then false else fence_confirmed s)) fence).

Definition latch (l : limits) (s : state) (checksum desync by_operator writable : bool)
    : option answer :=
  let k := killswitch s in
  settle l (with_killswitch s
    (with_latches k (latched_checksum k || checksum) (latched_desync k || desync)
       (latched_operator k || by_operator) writable)).

Definition step (l : limits) (s : state) (e : event) : option answer :=
  let k := killswitch s in
  match e with
  | AdvanceTime time =>
      if within time 0 TIME_MS_MAX then advance_time l s time else Some (Refused MALFORMED)
  | RecordHeartbeat partition =>
      if within partition 0 3 then record_heartbeat l s partition else Some (Refused MALFORMED)
  | ReportGrid members =>
      if within members 0 GRID_MEMBERS_MAX then settle l (with_killswitch s (with_members k members))
      else Some (Refused MALFORMED)
  | TripKillSwitch cause operator why =>
      if within cause 1 3 && act_fits 0 operator why then
        latch l s (cause =? 1) (cause =? 2) (cause =? 3) (journal_writable k)
      else Some (Refused MALFORMED)
  | Desynchronise => latch l s false true false (journal_writable k)
  | FailJournal => latch l s true false false false
  | RestoreJournal =>
      Some (Accepted (with_killswitch s (with_latches k (latched_checksum k) (latched_desync k)
        (latched_operator k) true)) false)
  | RestartKernel => restart l s
  | RequestRearm operator why =>
      if negb (act_fits 1 operator why) then Some (Refused MALFORMED)
      else if negb (is_hibernate (held (postures s))) then Some (Refused NOTHING_TO_REARM)
      else if latched k then Some (Accepted (with_killswitch s (with_request k 1)) false)
      else Some (Refused NOTHING_TO_REARM)
  | ConfirmRearm operator why =>
      if negb (act_fits 1 operator why) then Some (Refused MALFORMED)
      else if negb (is_hibernate (held (postures s))) then Some (Refused NO_REQUEST)
      else match confirm_verdict l k 1 with
           | Some no => Some (Refused no)
           | None => settle l (with_killswitch s
               (with_latches (with_request k 0) false false false true))
           end
  | RequestPeakReset operator why flat =>
      if negb (act_fits 1 operator why) then Some (Refused MALFORMED)
      else if flat then Some (Accepted (with_killswitch s (with_request k 2)) false)
      else Some (Refused NOT_FLAT)
  | ConfirmPeakReset operator why flat called_for =>
      if negb (act_fits 1 operator why) then Some (Refused MALFORMED)
      else match confirm_verdict l k 2 with
           | Some no => Some (Refused no)
           | None =>
               if flat then
                 Some (Accepted (lowered (with_killswitch s (with_request k 0)) called_for) false)
               else Some (Refused NOT_FLAT)
           end
  | Lower called_for => Some (Accepted (lowered s called_for) false)
  | ConfirmFence =>
      if fence_confirmed s then Some (Refused STALE_EPOCH)
      else Some (Accepted (State (process_time_ms s) (market_time_ms s) k (multiplier_ppm s)
        (postures s) (fence_epoch s) true) false)
  | CloseBar time called_for flat =>
      if within time 0 TIME_MS_MAX then close_bar l s time called_for flat
      else Some (Refused MALFORMED)
  end.

(** * What is assumed of the limits, and what every step keeps *)

Definition limits_fit (l : limits) : Prop :=
  length (heartbeat_limit_ms l) = 4%nat /\
  Forall (fun limit => 0 <= limit <= HEARTBEAT_MS_MAX) (heartbeat_limit_ms l).

Record safe (l : limits) (s : state) : Prop := Safe {
  four_ages : length (heartbeat_age_ms (killswitch s)) = 4%nat;
  killed_iff_cause : cause_active l (killswitch s) = Some (killed (killswitch s));
  killed_means_hibernate : killed (killswitch s) = true ->
    held (postures s) = HIBERNATE /\ multiplier_ppm s = 0;
  journal_down_means_latched : journal_writable (killswitch s) = false ->
    latched_checksum (killswitch s) = true }.

(** What a session opens with ([initial_state] of [kernel/state.py]). *)
Definition initial (l : limits) (process market : Z) : state :=
  State process market (Switch [0; 0; 0; 0] 0 false false false true (grid_in_use l) 0 0)
    0 (Machine HIBERNATE 0 0) 0 false.

(** * Statements *)

(** A session opens safe. With [safety_is_kept]: every state that can be reached is. *)
Definition a_session_opens_safe : Prop :=
  forall l process market, limits_fit l -> safe l (initial l process market).

(** No event, well-formed or not, makes the kill-switch fail to answer. *)
Definition no_panic : Prop :=
  forall l s e, limits_fit l -> safe l s -> exists a, step l s e = Some a.

(** What is safe stays safe: [killed] is true exactly while a cause is active, and a killed
    kernel is in HIBERNATE with multiplier 0. *)
Definition safety_is_kept : Prop :=
  forall l s e s' cancel, limits_fit l -> safe l s ->
    step l s e = Some (Accepted s' cancel) -> safe l s'.

(** The step after which a cause is active is the step that killed: multiplier 0, HIBERNATE. *)
Definition a_cause_kills_in_the_same_step : Prop :=
  forall l s e s' cancel, limits_fit l -> safe l s ->
    step l s e = Some (Accepted s' cancel) -> cause_active l (killswitch s') = Some true ->
    killed (killswitch s') = true /\ multiplier_ppm s' = 0 /\ held (postures s') = HIBERNATE.

(** A cause that is reported in range is never refused, whatever the state. *)
Definition a_cause_is_never_refused : Prop :=
  forall l s e, limits_fit l -> safe l s ->
    match e with
    | RecordHeartbeat partition => 0 <= partition <= 3
    | ReportGrid members => 0 <= members <= GRID_MEMBERS_MAX
    | TripKillSwitch cause operator why =>
        1 <= cause <= 3 /\ 0 <= operator <= OPERATOR_MAX /\ 0 <= why <= REASON_MAX
    | AdvanceTime time => process_time_ms s <= time <= TIME_MS_MAX /\ 0 <= time
    | Desynchronise | FailJournal | RestoreJournal | RestartKernel => True
    | _ => False
    end ->
    exists s' cancel, step l s e = Some (Accepted s' cancel).

(** A named cause, a desync, a journal that fails, an empty grid: each of them kills, now. *)
Definition each_cause_kills : Prop :=
  forall l s e s' cancel, limits_fit l -> safe l s ->
    step l s e = Some (Accepted s' cancel) ->
    match e with
    | TripKillSwitch _ _ _ | Desynchronise | FailJournal => True
    | ReportGrid members => grid_in_use l = true /\ members < 1
    | _ => False
    end ->
    killed (killswitch s') = true /\ multiplier_ppm s' = 0 /\ held (postures s') = HIBERNATE.

(** A heartbeat that gets older than its limit kills in the very step in which it does. *)
Definition a_late_heartbeat_kills : Prop :=
  forall l s time s' cancel index age limit, limits_fit l -> safe l s ->
    step l s (AdvanceTime time) = Some (Accepted s' cancel) ->
    nth_error (heartbeat_age_ms (killswitch s)) index = Some age ->
    nth_error (heartbeat_limit_ms l) index = Some limit ->
    limit < age + (time - process_time_ms s) ->
    killed (killswitch s') = true /\ multiplier_ppm s' = 0 /\ held (postures s') = HIBERNATE.

(** A kill outside HIBERNATE fences what the workers hold, and cancels. *)
Definition a_trip_fences : Prop :=
  forall l s e s' cancel, limits_fit l -> safe l s ->
    step l s e = Some (Accepted s' cancel) ->
    held (postures s) <> HIBERNATE -> killed (killswitch s') = true ->
    fence_epoch s' = fence_epoch s + 1 /\ fence_confirmed s' = false /\ cancel = true.

(** Orders are cancelled exactly when the epoch advances, and it never goes back. *)
Definition the_epoch_only_advances : Prop :=
  forall l s e s' cancel, step l s e = Some (Accepted s' cancel) ->
    fence_epoch s' = fence_epoch s + (if cancel then 1 else 0).

(** A latch goes only by the second step of a re-arm: asked for, cooled, in time, on record. *)
Definition rearm_is_two_step : Prop :=
  forall l s e s' cancel, step l s e = Some (Accepted s' cancel) ->
    latched (killswitch s) = true -> latched (killswitch s') = false ->
    exists operator why, e = ConfirmRearm operator why
      /\ operator_request (killswitch s) = 1
      /\ cooling_ms l <= operator_request_age_ms (killswitch s) <= confirm_window_ms l
      /\ journal_writable (killswitch s) = true.

(** While the journal cannot be written the kernel is killed. *)
Definition journal_down_means_killed : Prop :=
  forall l s, safe l s -> journal_writable (killswitch s) = false ->
    killed (killswitch s) = true /\ multiplier_ppm s = 0 /\ held (postures s) = HIBERNATE.

(** * Proofs *)

Lemma four : forall (A : Type) (row : list A), length row = 4%nat ->
  exists a b c d, row = [a; b; c; d].
Proof.
  intros A row. destruct row as [| a [| b [| c [| d [| e row]]]]]; simpl; intros; try discriminate.
  now exists a, b, c, d.
Qed.

Lemma cause_is_decided : forall l k, limits_fit l -> length (heartbeat_age_ms k) = 4%nat ->
  exists b, cause_active l k = Some b.
Proof.
  intros l k [limits _] ages. destruct (four _ _ limits) as (w & x & y & z & L).
  destruct (four _ _ ages) as (a & b & c & d & A).
  unfold cause_active, heartbeat_late, late_at, or_else. rewrite L, A. simpl.
  destruct (latched k), (w <? a), (x <? b), (y <? c), (z <? d); eauto.
Qed.

Lemma cause_ignores_killed : forall l k b, cause_active l (with_killed k b) = cause_active l k.
Proof. reflexivity. Qed.

Theorem a_session_opens_safe_holds : a_session_opens_safe.
Proof.
  intros l process market [many bounded]. destruct (four _ _ many) as (w & x & y & z & L).
  constructor; cbn; auto; try discriminate.
  unfold cause_active, heartbeat_late, late_at, or_else, latched. cbn. rewrite L in *. cbn.
  inversion bounded as [| ? ? W more]; subst. inversion more as [| ? ? X more']; subst.
  inversion more' as [| ? ? Y more'']; subst. inversion more'' as [| ? ? ZZ more''']; subst.
  destruct (Z.ltb_spec w 0); [lia |]. destruct (Z.ltb_spec x 0); [lia |].
  destruct (Z.ltb_spec y 0); [lia |]. destruct (Z.ltb_spec z 0); [lia |].
  now rewrite andb_true_r.
Qed.

Lemma latched_is_a_cause : forall l k, latched k = true -> cause_active l k = Some true.
Proof. intros l k on. unfold cause_active. rewrite on. reflexivity. Qed.

(** [settle] from anywhere: it answers, and what it answers is safe, provided that a state that
    was already killed was already in HIBERNATE. *)
Lemma settle_answers : forall l s, limits_fit l ->
  length (heartbeat_age_ms (killswitch s)) = 4%nat ->
  exists s' cancel, settle l s = Some (Accepted s' cancel).
Proof.
  intros l s fit ages. unfold settle. destruct (cause_is_decided l _ fit ages) as [now ->].
  cbv zeta. destruct (negb now || killed (killswitch s)); eauto.
Qed.

Lemma settle_is_safe : forall l s s' cancel,
  settle l s = Some (Accepted s' cancel) ->
  length (heartbeat_age_ms (killswitch s)) = 4%nat ->
  (killed (killswitch s) = true -> held (postures s) = HIBERNATE /\ multiplier_ppm s = 0) ->
  (journal_writable (killswitch s) = false -> latched_checksum (killswitch s) = true) ->
  safe l s'.
Proof.
  intros l s s' cancel settled ages before journal. unfold settle in settled.
  destruct (cause_active l (killswitch s)) as [now |] eqn:cause; [| discriminate].
  cbv zeta in settled. destruct now; simpl in settled.
  - destruct (killed (killswitch s)) eqn:was; inversion settled; subst; clear settled.
    + constructor; simpl; auto.
    + constructor; simpl; auto.
  - inversion settled; subst; clear settled. constructor; simpl; auto. discriminate.
Qed.

Lemma settle_keeps : forall l s s' cancel, settle l s = Some (Accepted s' cancel) ->
  fence_epoch s' = fence_epoch s + (if cancel then 1 else 0)
  /\ latched (killswitch s') = latched (killswitch s)
  /\ (held (postures s) <> HIBERNATE -> killed (killswitch s) = false ->
      killed (killswitch s') = true -> fence_confirmed s' = false /\ cancel = true).
Proof.
  intros l s s' cancel settled. unfold settle in settled.
  destruct (cause_active l (killswitch s)) as [now |]; [| discriminate].
  cbv zeta in settled.
  destruct now, (killed (killswitch s)) eqn:was; simpl in settled;
    inversion settled; subst; clear settled; simpl.
  - repeat split; [lia | discriminate | discriminate].
  - destruct (held (postures s)); simpl; repeat split; congruence || lia.
  - repeat split; [lia | discriminate | discriminate].
  - repeat split; [lia | discriminate | discriminate].
Qed.

Ltac one_list :=
  match goal with
  | S : safe ?l ?s |- _ =>
      let a := fresh "a" in let b := fresh "b" in let c := fresh "c" in let d := fresh "d" in
      let ages := fresh "ages" in
      destruct (four _ _ (four_ages l s S)) as (a & b & c & d & ages); rewrite ages in *
  end.

Lemma counted_answers : forall p m b, exists m' fence, counted p m b = (m', fence).
Proof. intros p m b. destruct (counted p m b) as [m' fence]. eauto. Qed.

Theorem no_panic_holds : no_panic.
Proof.
  intros l s e fit S. pose proof (four_ages l s S) as ages.
  assert (forall s0, length (heartbeat_age_ms (killswitch s0)) = 4%nat ->
            exists a, settle l s0 = Some a) as settles.
  { intros s0 four_of. destruct (settle_answers l s0 fit four_of) as (s' & cancel & ->). eauto. }
  destruct (four _ _ ages) as (a & b & c & d & row).
  destruct e; unfold step; cbv zeta.
  - destruct (within process_time 0 TIME_MS_MAX); [| eauto].
    unfold advance_time. cbv zeta. destruct (process_time - process_time_ms s <? 0); [eauto |].
    rewrite row. simpl. apply settles. reflexivity.
  - destruct (within partition 0 3); [| eauto]. unfold record_heartbeat. rewrite row. simpl.
    apply settles. reflexivity.
  - destruct (within members 0 GRID_MEMBERS_MAX); [| eauto]. apply settles. assumption.
  - destruct (within cause 1 3 && act_fits 0 operator reason0); [| eauto].
    unfold latch. apply settles. assumption.
  - unfold latch. apply settles. assumption.
  - unfold latch. apply settles. assumption.
  - eauto.
  - unfold restart. cbv zeta.
    destruct (cause_is_decided l (with_request (with_ages (killswitch s) [0; 0; 0; 0] 0) 0) fit)
      as [now ->]; [reflexivity | eauto].
  - destruct (negb (act_fits 1 operator reason0)); [eauto |].
    destruct (negb (is_hibernate (held (postures s)))); [eauto |].
    destruct (latched (killswitch s)); eauto.
  - destruct (negb (act_fits 1 operator reason0)); [eauto |].
    destruct (negb (is_hibernate (held (postures s)))); [eauto |].
    destruct (confirm_verdict l (killswitch s) 1); [eauto |]. apply settles. assumption.
  - destruct (negb (act_fits 1 operator reason0)); [eauto |]. destruct flat; eauto.
  - destruct (negb (act_fits 1 operator reason0)); [eauto |].
    destruct (confirm_verdict l (killswitch s) 2); [eauto |]. destruct flat; eauto.
  - eauto.
  - destruct (fence_confirmed s); eauto.
  - destruct (within market_time 0 TIME_MS_MAX); [| eauto]. unfold close_bar. cbv zeta.
    destruct (market_time - market_time_ms s <? 0); [eauto |].
    destruct (market_time - market_time_ms s <? bar_ms_min l); [eauto |].
    destruct (live l && (process_time_ms s <? market_time)); [eauto |].
    destruct (counted (session l) (postures s) _); eauto.
Qed.

(** Follow an accepted step into its case. *)
Ltac follow H :=
  unfold step in H; cbv zeta in H;
  repeat match type of H with
  | (if ?c then _ else _) = _ => destruct c eqn:?; try discriminate H
  | (match confirm_verdict ?l ?k ?r with _ => _ end) = _ =>
      destruct (confirm_verdict l k r) eqn:?; try discriminate H
  | Some (Refused _) = _ => discriminate H
  end.

Lemma lower_of_nothing : forall m, m = 0 -> lower m 0 = 0.
Proof. intros m ->. reflexivity. Qed.

Theorem safety_is_kept_holds : safety_is_kept.
Proof.
  intros l s e s' cancel fit S accepted.
  pose proof (four_ages l s S) as ages. pose proof (killed_iff_cause l s S) as iff.
  pose proof (killed_means_hibernate l s S) as hib.
  pose proof (journal_down_means_latched l s S) as journal.
  destruct (four _ _ ages) as (a & b & c & d & row).
  destruct e; follow accepted.
  - unfold advance_time in accepted. cbv zeta in accepted.
    destruct (process_time - process_time_ms s <? 0); [discriminate |].
    rewrite row in accepted. simpl in accepted.
    eapply settle_is_safe; [eassumption | reflexivity | assumption | assumption].
  - unfold record_heartbeat in accepted. rewrite row in accepted. simpl in accepted.
    eapply settle_is_safe; [eassumption | reflexivity | assumption | assumption].
  - eapply settle_is_safe; [eassumption | assumption | assumption | assumption].
  - unfold latch in accepted.
    eapply settle_is_safe; [eassumption | assumption | assumption |].
    simpl. intros down. now rewrite journal.
  - unfold latch in accepted.
    eapply settle_is_safe; [eassumption | assumption | assumption |].
    simpl. intros down. now rewrite journal.
  - unfold latch in accepted.
    eapply settle_is_safe; [eassumption | assumption | assumption |].
    simpl. intros down. apply orb_true_r.
  - inversion accepted; subst. constructor; simpl; auto. discriminate.
  - unfold restart in accepted. cbv zeta in accepted.
    destruct (cause_active l (with_request (with_ages (killswitch s) [0; 0; 0; 0] 0) 0))
      as [now |] eqn:cause; [| discriminate].
    inversion accepted; subst. constructor; simpl; auto.
  - inversion accepted; subst. constructor; simpl; auto.
  - eapply settle_is_safe; [eassumption | assumption | assumption | discriminate].
  - inversion accepted; subst. constructor; simpl; auto.
  - inversion accepted; subst. constructor; simpl; auto.
    intros on. unfold target. simpl. rewrite on. destruct (hib on) as [-> zero].
    split; [reflexivity | now apply lower_of_nothing].
  - inversion accepted; subst. constructor; simpl; auto.
    intros on. unfold target. rewrite on. destruct (hib on) as [-> zero].
    split; [reflexivity | now apply lower_of_nothing].
  - inversion accepted; subst. constructor; simpl; auto.
  - unfold close_bar in accepted. cbv zeta in accepted.
    destruct (market_time - market_time_ms s <? 0); [discriminate |].
    destruct (market_time - market_time_ms s <? bar_ms_min l); [discriminate |].
    destruct (live l && (process_time_ms s <? market_time)); [discriminate |].
    destruct (counted (session l) (postures s) _) as [machine fence] eqn:bar.
    inversion accepted; subst. constructor; simpl; auto.
    intros on. destruct (hib on) as [asleep zero]. unfold target in *. rewrite on, zero in *.
    change (recovered 0 0 _ (session l)) with 0 in *. split; [| reflexivity].
    pose proof (moves_towards_the_call_holds (session l) (postures s)
                  (Bar 0 (flat && fence_confirmed s))) as towards.
    cbv zeta in towards. unfold next in towards. rewrite bar, asleep in towards. simpl in towards.
    rewrite (nothing_calls_for_hibernate_holds HIBERNATE 0 (session l) ltac:(lia)) in towards.
    apply rank_determines. simpl in *. lia.
Qed.

Theorem a_cause_kills_in_the_same_step_holds : a_cause_kills_in_the_same_step.
Proof.
  intros l s e s' cancel fit S accepted cause.
  pose proof (safety_is_kept_holds l s e s' cancel fit S accepted) as S'.
  pose proof (killed_iff_cause l s' S') as iff. rewrite cause in iff. injection iff as on.
  symmetry in on. destruct (killed_means_hibernate l s' S' on). auto.
Qed.

Lemma within_true : forall v a b, a <= v <= b -> within v a b = true.
Proof. intros v a b R. unfold within. apply andb_true_iff. split; apply Z.leb_le; lia. Qed.

Theorem a_cause_is_never_refused_holds : a_cause_is_never_refused.
Proof.
  intros l s e fit S range. pose proof (four_ages l s S) as ages.
  destruct (four _ _ ages) as (a & b & c & d & row).
  destruct e; try contradiction; unfold step; cbv zeta.
  - rewrite within_true by lia. unfold advance_time. cbv zeta.
    destruct (Z.ltb_spec (process_time - process_time_ms s) 0); [lia |]. rewrite row. simpl.
    apply settle_answers; [assumption | reflexivity].
  - rewrite within_true by lia. unfold record_heartbeat. rewrite row. simpl.
    apply settle_answers; [assumption | reflexivity].
  - rewrite within_true by lia. apply settle_answers; assumption.
  - destruct range as (C & O & R). unfold act_fits.
    rewrite (within_true cause 1 3 C), (within_true operator 0 OPERATOR_MAX O),
      (within_true reason0 0 REASON_MAX R).
    unfold latch. apply settle_answers; assumption.
  - unfold latch. apply settle_answers; assumption.
  - unfold latch. apply settle_answers; assumption.
  - eauto.
  - unfold restart. cbv zeta.
    destruct (cause_is_decided l (with_request (with_ages (killswitch s) [0; 0; 0; 0] 0) 0) fit)
      as [now ->]; [reflexivity | eauto].
Qed.

Lemma settle_keeps_causes : forall l s s' cancel, settle l s = Some (Accepted s' cancel) ->
  cause_active l (killswitch s') = cause_active l (killswitch s).
Proof.
  intros l s s' cancel settled. unfold settle in settled.
  destruct (cause_active l (killswitch s)) as [now |] eqn:cause; [| discriminate].
  cbv zeta in settled. destruct (negb now || killed (killswitch s)); inversion settled; subst;
    simpl; now rewrite cause_ignores_killed.
Qed.

Theorem each_cause_kills_holds : each_cause_kills.
Proof.
  intros l s e s' cancel fit S accepted which.
  apply (a_cause_kills_in_the_same_step_holds l s e s' cancel fit S accepted).
  pose proof (four_ages l s S) as ages. destruct (four _ _ ages) as (a & b & c & d & row).
  destruct e; try contradiction; follow accepted; try unfold latch in accepted;
    rewrite (settle_keeps_causes _ _ _ _ accepted).
  - destruct which as [used few]. unfold cause_active. simpl. rewrite used.
    destruct (Z.ltb_spec members 1); [| lia].
    unfold or_else. change (latched (with_members (killswitch s) members)) with
      (latched (killswitch s)).
    destruct (latched (killswitch s)); [reflexivity |].
    destruct (four _ _ (proj1 fit)) as (w & x & y & z & L).
    unfold heartbeat_late, late_at, or_else. rewrite row, L. simpl.
    destruct (w <? a), (x <? b), (y <? c), (z <? d); reflexivity.
  - apply latched_is_a_cause. unfold latched. simpl.
    apply andb_true_iff in Heqb0. destruct Heqb0 as [range _]. unfold within in range.
    apply andb_true_iff in range. destruct range as [low high].
    apply Z.leb_le in low. apply Z.leb_le in high.
    assert (cause = 1 \/ cause = 2 \/ cause = 3) as [-> | [-> | ->]] by lia; simpl;
      destruct (latched_checksum (killswitch s)), (latched_desync (killswitch s)),
        (latched_operator (killswitch s)); reflexivity.
  - apply latched_is_a_cause. unfold latched. simpl.
    rewrite (orb_true_r (latched_desync (killswitch s))). rewrite orb_true_r. reflexivity.
  - apply latched_is_a_cause. unfold latched. simpl.
    rewrite (orb_true_r (latched_checksum (killswitch s))). reflexivity.
Qed.

Theorem a_late_heartbeat_kills_holds : a_late_heartbeat_kills.
Proof.
  intros l s time s' cancel index age limit fit S accepted its_age its_limit late.
  apply (a_cause_kills_in_the_same_step_holds l s _ s' cancel fit S accepted).
  pose proof (four_ages l s S) as ages. destruct (four _ _ ages) as (a & b & c & d & row).
  follow accepted. unfold advance_time in accepted. cbv zeta in accepted.
  destruct (time - process_time_ms s <? 0); [discriminate |].
  rewrite row in accepted. simpl in accepted.
  rewrite (settle_keeps_causes _ _ _ _ accepted).
  destruct fit as [many bounded]. destruct (four _ _ many) as (w & x & y & z & L).
  rewrite L in its_limit. rewrite row in its_age. rewrite L in bounded.
  assert (limit <= HEARTBEAT_MS_MAX) as small.
  { apply nth_error_In in its_limit. rewrite Forall_forall in bounded.
    apply bounded in its_limit. lia. }
  assert ((limit <? older age (time - process_time_ms s)) = true) as fires.
  { apply Z.ltb_lt. unfold older, HEARTBEAT_MS_MAX, AGE_MS_MAX in *. lia. }
  unfold cause_active, or_else, latched, heartbeat_late, late_at. simpl. rewrite L. simpl.
  destruct (latched_checksum (killswitch s) || latched_desync (killswitch s)
            || latched_operator (killswitch s)); [reflexivity |].
  destruct index as [| [| [| [| index]]]]; simpl in its_age, its_limit.
  - inversion its_age; inversion its_limit; subst. rewrite fires. reflexivity.
  - inversion its_age; inversion its_limit; subst. rewrite fires.
    destruct (w <? _); [reflexivity |]. reflexivity.
  - inversion its_age; inversion its_limit; subst. rewrite fires.
    destruct (w <? _); [reflexivity |]. destruct (x <? _); [reflexivity |]. reflexivity.
  - inversion its_age; inversion its_limit; subst. rewrite fires.
    destruct (w <? _); [reflexivity |]. destruct (x <? _); [reflexivity |].
    destruct (y <? _); [reflexivity |]. reflexivity.
  - destruct index; discriminate.
Qed.

Theorem the_epoch_only_advances_holds : the_epoch_only_advances.
Proof.
  intros l s e s' cancel accepted. destruct e; follow accepted;
    try (inversion accepted; subst; simpl; lia);
    try (apply (settle_keeps l) in accepted; simpl in accepted; apply accepted).
  - unfold advance_time in accepted. cbv zeta in accepted.
    destruct (process_time - process_time_ms s <? 0); [discriminate |].
    repeat match type of accepted with
    | (match ?x with _ => _ end) = _ => destruct x; [| discriminate]
    end.
    apply (settle_keeps l) in accepted. apply accepted.
  - unfold record_heartbeat in accepted. cbv zeta in accepted.
    repeat match type of accepted with
    | (match ?x with _ => _ end) = _ => destruct x; [| discriminate]
    end.
    apply (settle_keeps l) in accepted. apply accepted.
  - unfold restart in accepted. cbv zeta in accepted.
    destruct (cause_active l _); [| discriminate]. inversion accepted; subst. reflexivity.
  - unfold close_bar in accepted. cbv zeta in accepted.
    destruct (market_time - market_time_ms s <? 0); [discriminate |].
    destruct (market_time - market_time_ms s <? bar_ms_min l); [discriminate |].
    destruct (live l && (process_time_ms s <? market_time)); [discriminate |].
    destruct (counted (session l) (postures s) _) as [machine fence].
    inversion accepted; subst. destruct cancel; simpl; lia.
Qed.

Theorem rearm_is_two_step_holds : rearm_is_two_step.
Proof.
  intros l s e s' cancel accepted on off. destruct e; follow accepted;
    try (inversion accepted; subst; simpl in off; unfold latched in *; simpl in off; congruence).
  - unfold advance_time in accepted. cbv zeta in accepted.
    destruct (process_time - process_time_ms s <? 0); [discriminate |].
    repeat match type of accepted with
    | (match ?x with _ => _ end) = _ => destruct x; [| discriminate]
    end.
    destruct (settle_keeps _ _ _ _ accepted) as (_ & kept & _). unfold latched in *. simpl in kept.
    congruence.
  - unfold record_heartbeat in accepted. cbv zeta in accepted.
    repeat match type of accepted with
    | (match ?x with _ => _ end) = _ => destruct x; [| discriminate]
    end.
    destruct (settle_keeps _ _ _ _ accepted) as (_ & kept & _). unfold latched in *. simpl in kept.
    congruence.
  - destruct (settle_keeps _ _ _ _ accepted) as (_ & kept & _). unfold latched in *. simpl in kept.
    congruence.
  - destruct (settle_keeps _ _ _ _ accepted) as (_ & kept & _). unfold latched in *. simpl in kept.
    destruct (latched_checksum (killswitch s)), (latched_desync (killswitch s)),
      (latched_operator (killswitch s)); simpl in *; try congruence;
      rewrite ?orb_true_r in kept; simpl in kept; rewrite ?orb_true_r in kept; congruence.
  - destruct (settle_keeps _ _ _ _ accepted) as (_ & kept & _). unfold latched in *. simpl in kept.
    destruct (latched_checksum (killswitch s)), (latched_desync (killswitch s)),
      (latched_operator (killswitch s)); simpl in *; congruence.
  - destruct (settle_keeps _ _ _ _ accepted) as (_ & kept & _). unfold latched in *. simpl in kept.
    destruct (latched_checksum (killswitch s)), (latched_desync (killswitch s)),
      (latched_operator (killswitch s)); simpl in *; congruence.
  - unfold restart in accepted. cbv zeta in accepted.
    destruct (cause_active l _); [| discriminate]. inversion accepted; subst.
    unfold latched in *. simpl in off. congruence.
  - exists operator, reason0. split; [reflexivity |]. unfold confirm_verdict in Heqo.
    destruct (operator_request (killswitch s) =? 1) eqn:asked; [| discriminate]. simpl in Heqo.
    destruct (Z.ltb_spec (operator_request_age_ms (killswitch s)) (cooling_ms l)); [discriminate |].
    destruct (Z.ltb_spec (confirm_window_ms l) (operator_request_age_ms (killswitch s)));
      [discriminate |].
    destruct (journal_writable (killswitch s)); [| discriminate].
    apply Z.eqb_eq in asked. auto.
  - unfold close_bar in accepted. cbv zeta in accepted.
    destruct (market_time - market_time_ms s <? 0); [discriminate |].
    destruct (market_time - market_time_ms s <? bar_ms_min l); [discriminate |].
    destruct (live l && (process_time_ms s <? market_time)); [discriminate |].
    destruct (counted (session l) (postures s) _) as [machine fence].
    inversion accepted; subst. simpl in off. congruence.
Qed.

Theorem a_trip_fences_holds : a_trip_fences.
Proof.
  intros l s e s' cancel fit S accepted awake on.
  pose proof (killed_means_hibernate l s S) as hib.
  assert (killed (killswitch s) = false) as fine
    by (destruct (killed (killswitch s)); [destruct (hib eq_refl); contradiction | reflexivity]).
  pose proof (the_epoch_only_advances_holds l s e s' cancel accepted) as epoch.
  assert (fence_confirmed s' = false /\ cancel = true) as [unconfirmed ->];
    [| rewrite epoch; auto].
  destruct e; follow accepted;
    try (inversion accepted; subst; simpl in on; congruence);
    try (destruct (settle_keeps _ _ _ _ accepted) as (_ & _ & trips); now apply trips).
  - unfold advance_time in accepted. cbv zeta in accepted.
    destruct (process_time - process_time_ms s <? 0); [discriminate |].
    repeat match type of accepted with
    | (match ?x with _ => _ end) = _ => destruct x; [| discriminate]
    end.
    destruct (settle_keeps _ _ _ _ accepted) as (_ & _ & trips). now apply trips.
  - unfold record_heartbeat in accepted. cbv zeta in accepted.
    repeat match type of accepted with
    | (match ?x with _ => _ end) = _ => destruct x; [| discriminate]
    end.
    destruct (settle_keeps _ _ _ _ accepted) as (_ & _ & trips). now apply trips.
  - unfold restart in accepted. cbv zeta in accepted.
    destruct (cause_active l _); [| discriminate]. inversion accepted; subst. simpl. auto.
  - unfold close_bar in accepted. cbv zeta in accepted.
    destruct (market_time - market_time_ms s <? 0); [discriminate |].
    destruct (market_time - market_time_ms s <? bar_ms_min l); [discriminate |].
    destruct (live l && (process_time_ms s <? market_time)); [discriminate |].
    destruct (counted (session l) (postures s) _) as [machine fence].
    inversion accepted; subst. simpl in on. congruence.
Qed.

Theorem journal_down_means_killed_holds : journal_down_means_killed.
Proof.
  intros l s S down. pose proof (journal_down_means_latched l s S down) as checksum.
  assert (cause_active l (killswitch s) = Some true) as cause
    by (apply latched_is_a_cause; unfold latched; now rewrite checksum).
  pose proof (killed_iff_cause l s S) as iff. rewrite cause in iff. injection iff as on.
  symmetry in on. destruct (killed_means_hibernate l s S on). auto.
Qed.
