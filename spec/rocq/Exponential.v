(** Exponentials in integers: never above the true value, at most 13 units of 10^-18 below it.

    Mirrors [kernel/fixed.py]: the two tables of digits, [exp_down], [exp_up], [decade_down]. The reals
    are Coq's own; the enclosures of the tables' entries are proved here by squaring, in integers
    of 200 bits, from 1 - x <= exp (-x) <= 1 / (1 + x). No floating point, no machine integer and
    no tactic that would bring their axioms: coqchk follows every step. *)

From Coq Require Import ZArith Lia List Bool Reals Lra.
From Kernel Require Import Units.
Import ListNotations.
Open Scope Z_scope.

Definition ONE : Z := 1000000000000000000.
Definition ONE_SQUARED : Z := ONE * ONE.
Definition EXP_UNIT : Z := 2700000.
Definition EXP_MAX : Z := 134217727.
Definition DECADE_UNIT : Z := 7170.
Definition DECADE_MAX : Z := 32767.
Definition ERROR_MAX : Z := 13.

Definition EXP_DIGITS : list (list Z) :=
  [
   [1000000000000000000; 999999629629698216; 999999259259533607; 999998888889506172;
    999998518519615911; 999998148149862824; 999997777780246911; 999997407410768172];
   [1000000000000000000; 999997037041426607; 999994074091632338; 999991111150617166;
    999988148218381066; 999985185294924012; 999982222380245977; 999979259474346935];
   [1000000000000000000; 999976296577226861; 999952593716305973; 999928891417224019;
    999905189679967680; 999881488504523641; 999857787890878583; 999834087839019190];
   [1000000000000000000; 999810388348932146; 999620812650442513; 999431272897714073;
    999241769083931091; 999052301202279124; 998862869245945022; 998673473208116924];
   [1000000000000000000; 998484113081984266; 996970524077116743; 995459229502020951;
    993950225878600816; 992443509734032661; 990939077600757220; 989436926016471654];
   [1000000000000000000; 987937051524121583; 976019617774174864; 964245943413518447;
    952614294280046399; 941122957130760920; 929770239389426219; 918554468897266430];
   [1000000000000000000; 907473993666670842; 823509049181336951; 747313045681230696;
    678167154083549642; 615419055689759317; 558476788245357197; 506803161399149950];
   [1000000000000000000; 459910688877780962; 211517841744035037; 97279316306440608;
    44739797376054651; 20576311031473631; 9463265381048521; 4352256900431281];
   [1000000000000000000; 2001649469250426; 4006600597750; 8019809959;
    16052848; 32132; 64; 0]
  ].

Definition DECADE_DIGITS : list (list Z) :=
  [
   [1000000000000000000; 999678909985402023; 999357923069601520; 999037039219494498;
    998716258401987591; 998395580583998059; 998075005732453788; 997754533814293278];
   [1000000000000000000; 997434164796465649; 994874913103222995; 992322228028069568;
    989776092722145506; 987236490379822346; 984703404238592096; 982176817578956601];
   [1000000000000000000; 979656713724317178; 959727276745128742; 940203270007721116;
    921076445728620933; 902338723911375165; 883982188933211737; 865999086201138672];
   [1000000000000000000; 848381818876069183; 719751710599467457; 610624265377538364;
    518042524910859555; 439497859539026409; 372861993467858397; 316329336208018734];
   [1000000000000000000; 268368057616018543; 72021414348594648; 19328247075490793;
    5187084124771955; 1392047691255935; 373581135011218; 100257243564948]
  ].

(** Row [j], entry [d]; [None] where Python would raise IndexError. *)
Definition lookup (table : list (list Z)) (j : nat) (d : Z) : option Z :=
  match nth_error table j with
  | Some row => nth_error row (Z.to_nat d)
  | None => None
  end.

Definition entry (table : list (list Z)) (j : nat) (d : Z) : Z :=
  match lookup table j d with Some e => e | None => 0 end.

Definition exp_down (n : Z) : Z :=
  let digits := Z.min n EXP_MAX in
  let low := entry EXP_DIGITS 0 (digits mod 8) * entry EXP_DIGITS 1 (digits / 8 mod 8)
             * entry EXP_DIGITS 2 (digits / 64 mod 8) / ONE_SQUARED in
  let middle := entry EXP_DIGITS 3 (digits / 512 mod 8) * entry EXP_DIGITS 4 (digits / 4096 mod 8)
                * entry EXP_DIGITS 5 (digits / 32768 mod 8) / ONE_SQUARED in
  let high := entry EXP_DIGITS 6 (digits / 262144 mod 8) * entry EXP_DIGITS 7 (digits / 2097152 mod 8)
              * entry EXP_DIGITS 8 (digits / 16777216 mod 8) / ONE_SQUARED in
  low * middle * high / ONE_SQUARED.

Definition exp_up (n : Z) : Z := Z.min ONE (exp_down n + ERROR_MAX).

Definition decade_down (n : Z) : Z :=
  let low := entry DECADE_DIGITS 0 (n mod 8) * entry DECADE_DIGITS 1 (n / 8 mod 8)
             * entry DECADE_DIGITS 2 (n / 64 mod 8) / ONE_SQUARED in
  let high := entry DECADE_DIGITS 3 (n / 512 mod 8) * entry DECADE_DIGITS 4 (n / 4096 mod 8) / ONE in
  low * high / ONE.

(** exp (-n / 2,700,000) and 10^(-n / 7170), the true ones. *)
Definition true_exp (n : Z) : R := exp (- (IZR n / IZR EXP_UNIT)).
Definition true_decade (n : Z) : R := Rpower 10 (- (IZR n / IZR DECADE_UNIT)).

(** * Statements *)

(** No digit is outside its row: the two functions raise no IndexError. *)
Definition every_digit_has_an_entry : Prop :=
  forall n j, 0 <= n ->
    ((j < 9)%nat -> lookup EXP_DIGITS j (n / 8 ^ Z.of_nat j mod 8) <> None)
    /\ ((j < 5)%nat -> lookup DECADE_DIGITS j (n / 8 ^ Z.of_nat j mod 8) <> None).

(** Each of the 112 entries is the floor of the true number in units of 10^-18. *)
Definition tables_are_floors : Prop :=
  forall j d e,
    (lookup EXP_DIGITS j d = Some e -> 0 <= d ->
       (IZR e <= IZR ONE * true_exp (d * 8 ^ Z.of_nat j) < IZR e + 1)%R)
    /\ (lookup DECADE_DIGITS j d = Some e -> 0 <= d ->
       (IZR e <= IZR ONE * true_decade (d * 8 ^ Z.of_nat j) < IZR e + 1)%R).

(** [exp_down] is never above the true value and at most 13 units below it, for every n >= 0. *)
Definition exp_down_is_conservative : Prop :=
  forall n, 0 <= n ->
    (IZR (exp_down n) <= IZR ONE * true_exp n <= IZR (exp_down n) + IZR ERROR_MAX)%R
    /\ 0 <= exp_down n <= ONE.

(** [exp_up] is never below it, at most 13 units above, and never above 1. *)
Definition exp_up_is_conservative : Prop :=
  forall n, 0 <= n ->
    (IZR ONE * true_exp n <= IZR (exp_up n) <= IZR ONE * true_exp n + IZR ERROR_MAX)%R
    /\ 0 <= exp_up n <= ONE.

Definition decade_down_is_conservative : Prop :=
  forall n, 0 <= n <= DECADE_MAX ->
    (IZR (decade_down n) <= IZR ONE * true_decade n <= IZR (decade_down n) + IZR ERROR_MAX)%R
    /\ 0 <= decade_down n <= ONE.

(** * Proofs: the tables *)

Open Scope R_scope.

(** An enclosure of a number in [0, 1]: two integers over 2^200. *)
Definition SCALE : Z := (2 ^ 200)%Z.
Definition enclosure : Set := (Z * Z)%type.

Definition encloses (e : enclosure) (x : R) : Prop :=
  0 <= IZR (fst e) /\ IZR (fst e) <= IZR SCALE * x <= IZR (snd e).

Definition times (a b : enclosure) : enclosure :=
  (Z.shiftr (fst a * fst b) 200, Z.shiftr (snd a * snd b) 200 + 1)%Z.

Fixpoint power (p : positive) (e : enclosure) : enclosure :=
  match p with
  | xH => e
  | xO q => let h := power q e in times h h
  | xI q => let h := power q e in times e (times h h)
  end.

Definition whole : enclosure := (SCALE, SCALE).

Fixpoint row_holds (unit current : enclosure) (row : list Z) : bool :=
  match row with
  | [] => true
  | e :: rest =>
      ((e * SCALE <=? ONE * fst current) && (ONE * snd current <? (e + 1) * SCALE)
       && row_holds unit (times current unit) rest)%Z
  end.

Fixpoint table_holds (unit : enclosure) (table : list (list Z)) : bool :=
  match table with
  | [] => true
  | row :: rest => row_holds unit whole row && table_holds (power 8 unit) rest
  end.

Lemma SCALE_positive : 0 < IZR SCALE.
Proof. apply IZR_lt. reflexivity. Qed.

Lemma floor_real : forall a b, (0 < b)%Z ->
  IZR (a / b) * IZR b <= IZR a < IZR (a / b) * IZR b + IZR b.
Proof.
  intros a b positive. pose proof (div_floor a b positive) as [low high].
  rewrite <- mult_IZR, <- plus_IZR. split; [apply IZR_le | apply IZR_lt]; lia.
Qed.

Lemma times_encloses : forall a b x y, 0 <= x -> 0 <= y ->
  encloses a x -> encloses b y -> encloses (times a b) (x * y).
Proof.
  intros [al ah] [bl bh] x y X Y [A0 [Al Ah]] [B0 [Bl Bh]]. unfold encloses, times in *. cbn [fst snd] in *.
  rewrite !Z.shiftr_div_pow2 by lia. change (2 ^ 200)%Z with SCALE.
  pose proof SCALE_positive as S0.
  pose proof (floor_real (al * bl) SCALE eq_refl) as [low _].
  pose proof (floor_real (ah * bh) SCALE eq_refl) as [_ high].
  rewrite !mult_IZR in low, high.
  assert (0 <= IZR (al * bl / SCALE)) as nonneg.
  { apply IZR_le. apply Z.div_pos; [| reflexivity]. apply le_IZR in A0, B0. nia. }
  assert (IZR al * IZR bl <= (IZR SCALE * x) * (IZR SCALE * y)) as L
    by (apply Rmult_le_compat; lra).
  assert ((IZR SCALE * x) * (IZR SCALE * y) <= IZR ah * IZR bh) as H.
  { apply Rmult_le_compat; try lra; apply Rmult_le_pos; lra. }
  split; [assumption |]. split.
  - apply Rmult_le_reg_r with (IZR SCALE); [assumption |]. lra.
  - rewrite plus_IZR. apply Rmult_le_reg_r with (IZR SCALE); [assumption |]. lra.
Qed.

Lemma power_encloses : forall p e y, encloses e (exp (- y)) ->
  encloses (power p e) (exp (- (IZR (Zpos p) * y))).
Proof.
  induction p as [q IH | q IH |]; intros e y holds; cbn [power].
  - replace (- (IZR (Z.pos q~1) * y))
      with (- y + (- (IZR (Z.pos q) * y) + - (IZR (Z.pos q) * y)))
      by (rewrite Pos2Z.inj_xI, plus_IZR, mult_IZR; ring).
    rewrite !exp_plus. assert (0 <= exp (- (IZR (Z.pos q) * y))) by apply Rlt_le, exp_pos.
    apply times_encloses; [apply Rlt_le, exp_pos | | assumption |].
    + apply Rmult_le_pos; assumption.
    + apply times_encloses; auto.
  - replace (- (IZR (Z.pos q~0) * y)) with (- (IZR (Z.pos q) * y) + - (IZR (Z.pos q) * y))
      by (rewrite Pos2Z.inj_xO, mult_IZR; ring).
    rewrite exp_plus. apply times_encloses; try (apply Rlt_le, exp_pos); auto.
  - replace (- (1 * y)) with (- y) by ring. assumption.
Qed.

Lemma row_is_sound : forall row unit current y start d e, 0 <= y ->
  encloses unit (exp (- y)) -> encloses current (exp (- (IZR start * y))) ->
  row_holds unit current row = true -> nth_error row d = Some e ->
  IZR e <= IZR ONE * exp (- (IZR (start + Z.of_nat d) * y)) < IZR e + 1.
Proof.
  induction row as [| first rest IH]; intros unit current y start d e Y U C ok found.
  - destruct d; discriminate.
  - cbn [row_holds table_holds] in ok. apply andb_true_iff in ok. destruct ok as [ok later].
    apply andb_true_iff in ok. destruct ok as [low high].
    destruct d as [| d]; simpl in found.
    + injection found as <-. replace (start + Z.of_nat 0)%Z with start by lia.
      apply Z.leb_le, IZR_le in low. apply Z.ltb_lt, IZR_lt in high.
      rewrite !mult_IZR in low, high. rewrite plus_IZR in high.
      destruct C as [C0 [Cl Ch]]. pose proof SCALE_positive.
      assert (0 < IZR ONE) by (apply IZR_lt; reflexivity).
      set (x := exp (- (IZR start * y))) in *.
      assert (IZR ONE * IZR (fst current) <= IZR ONE * (IZR SCALE * x))
        by (apply Rmult_le_compat_l; lra).
      assert (IZR ONE * (IZR SCALE * x) <= IZR ONE * IZR (snd current))
        by (apply Rmult_le_compat_l; lra).
      split.
      * apply Rmult_le_reg_r with (IZR SCALE); [assumption |]. lra.
      * apply Rmult_lt_reg_r with (IZR SCALE); [assumption |]. lra.
    + replace (start + Z.of_nat (S d))%Z with ((start + 1) + Z.of_nat d)%Z by lia.
      apply (IH unit (times current unit) y (start + 1)%Z d e Y U); try assumption.
      replace (- (IZR (start + 1) * y)) with (- (IZR start * y) + - y)
        by (rewrite plus_IZR; ring).
      rewrite exp_plus. apply times_encloses; try (apply Rlt_le, exp_pos); assumption.
Qed.

Lemma whole_encloses_1 : forall y, encloses whole (exp (- (IZR 0 * y))).
Proof.
  intros y. replace (- (IZR 0 * y)) with 0 by ring. rewrite exp_0. unfold encloses, whole. cbn [fst snd].
  pose proof SCALE_positive. lra.
Qed.

Lemma table_is_sound : forall table unit y j d e, 0 <= y -> (0 <= d)%Z ->
  encloses unit (exp (- y)) -> table_holds unit table = true -> lookup table j d = Some e ->
  IZR e <= IZR ONE * exp (- (IZR (d * 8 ^ Z.of_nat j) * y)) < IZR e + 1.
Proof.
  induction table as [| row rest IH]; intros unit y j d e Y D U ok found.
  - unfold lookup in found. destruct j; discriminate.
  - cbn [row_holds table_holds] in ok. apply andb_true_iff in ok. destruct ok as [here later].
    destruct j as [| j].
    + unfold lookup in found. simpl in found.
      pose proof (row_is_sound row unit whole y 0 (Z.to_nat d) e Y U (whole_encloses_1 y) here found)
        as claim.
      rewrite Z2Nat.id in claim by assumption.
      replace (d * 8 ^ Z.of_nat 0)%Z with (0 + d)%Z by (simpl; lia). assumption.
    + pose proof (power_encloses 8 unit y U) as U8.
      assert (0 <= 8 * y) as Y8 by lra.
      pose proof (IH (power 8 unit) (8 * y) j d e Y8 D U8 later found) as claim.
      replace (IZR (d * 8 ^ Z.of_nat (S j)) * y) with (IZR (d * 8 ^ Z.of_nat j) * (8 * y));
        [assumption |].
      rewrite Nat2Z.inj_succ, Z.pow_succ_r by lia. rewrite !mult_IZR. ring.
Qed.

(** exp (-1 / 2,700,000), as the 2^70th power of a number next to 1. *)
Definition FINE : positive := (2 ^ 70)%positive.
Definition TINY_UNIT : Z := (EXP_UNIT * Zpos FINE)%Z.
Definition exp_fine : enclosure :=
  (SCALE - SCALE / TINY_UNIT - 1, SCALE * TINY_UNIT / (TINY_UNIT + 1) + 1)%Z.
Definition exp_unit : enclosure := power FINE exp_fine.

Lemma TINY_UNIT_positive : (0 < TINY_UNIT)%Z.
Proof. reflexivity. Qed.

Lemma exp_fine_holds : encloses exp_fine (exp (- (1 / IZR TINY_UNIT))).
Proof.
  pose proof SCALE_positive as S0. pose proof (IZR_lt _ _ TINY_UNIT_positive) as T0.
  set (y := 1 / IZR TINY_UNIT).
  assert (0 < y) as Y by (unfold y; apply Rdiv_lt_0_compat; lra).
  assert (y * IZR TINY_UNIT = 1) as Y1 by (unfold y; field; lra).
  unfold encloses, exp_fine. cbn [fst snd]. split; [| split].
  - apply IZR_le. vm_compute. discriminate.
  - pose proof (exp_ineq1_le (- y)) as below.
    pose proof (floor_real SCALE TINY_UNIT TINY_UNIT_positive) as [_ quotient].
    rewrite !minus_IZR.
    assert (IZR SCALE * y < IZR (SCALE / TINY_UNIT) + 1).
    { apply Rmult_lt_reg_r with (IZR TINY_UNIT); [assumption |].
      replace (IZR SCALE * y * IZR TINY_UNIT) with (IZR SCALE * (y * IZR TINY_UNIT)) by ring.
      rewrite Y1. lra. }
    assert (IZR SCALE * (1 - y) <= IZR SCALE * exp (- y)) by (apply Rmult_le_compat_l; lra).
    lra.
  - pose proof (exp_ineq1_le y) as above. rewrite exp_Ropp.
    pose proof (floor_real (SCALE * TINY_UNIT) (TINY_UNIT + 1) eq_refl) as [_ quotient].
    rewrite mult_IZR, plus_IZR in quotient. rewrite plus_IZR.
    set (q := IZR (SCALE * TINY_UNIT / (TINY_UNIT + 1))) in *.
    assert (/ exp y <= / (1 + y)) by (apply Rinv_le_contravar; lra).
    assert (IZR SCALE * / exp y <= IZR SCALE * / (1 + y)) by (apply Rmult_le_compat_l; lra).
    assert (/ (1 + y) = IZR TINY_UNIT / (IZR TINY_UNIT + 1)) as ratio.
    { unfold y. field. lra. }
    assert (IZR SCALE * (IZR TINY_UNIT / (IZR TINY_UNIT + 1)) <= q + 1).
    { apply Rmult_le_reg_r with (IZR TINY_UNIT + 1); [lra |].
      replace (IZR SCALE * (IZR TINY_UNIT / (IZR TINY_UNIT + 1)) * (IZR TINY_UNIT + 1))
        with (IZR SCALE * IZR TINY_UNIT) by (field; lra). lra. }
    rewrite ratio in *. lra.
Qed.

Lemma exp_unit_holds : encloses exp_unit (exp (- (1 / IZR EXP_UNIT))).
Proof.
  unfold exp_unit. replace (1 / IZR EXP_UNIT) with (IZR (Zpos FINE) * (1 / IZR TINY_UNIT)).
  - apply power_encloses, exp_fine_holds.
  - unfold TINY_UNIT. rewrite mult_IZR. field. split; apply not_0_IZR; discriminate.
Qed.

Lemma exp_table_holds : table_holds exp_unit EXP_DIGITS = true.
Proof. vm_compute. reflexivity. Qed.

(** 10^(-1/7170): a guess, and its 7170th power beside 1/10. *)
Definition GUESS : Z := 1606422072498901111789258231792467285229078034374350653066342%Z.
Definition SLACK : Z := 1048576%Z.
Definition decade_unit : enclosure := (GUESS - SLACK, GUESS + SLACK)%Z.
Definition decade_step : R := ln 10 / IZR DECADE_UNIT.

Lemma exact_encloses : forall a, (0 < a)%Z -> encloses (a, a) (IZR a / IZR SCALE).
Proof.
  intros a positive. pose proof SCALE_positive. apply IZR_lt in positive. unfold encloses. cbn [fst snd].
  replace (IZR SCALE * (IZR a / IZR SCALE)) with (IZR a) by (field; lra). lra.
Qed.

Lemma ratio_power : forall a, (0 < a)%Z ->
  encloses (power 7170 (a, a)) (exp (7170 * ln (IZR a / IZR SCALE))).
Proof.
  intros a positive. pose proof SCALE_positive.
  assert (0 < IZR a / IZR SCALE) as ratio
    by (apply Rdiv_lt_0_compat; [now apply IZR_lt | assumption]).
  replace (7170 * ln (IZR a / IZR SCALE)) with (- (IZR 7170 * - ln (IZR a / IZR SCALE))) by ring.
  apply power_encloses. rewrite Ropp_involutive, exp_ln by assumption. now apply exact_encloses.
Qed.

Lemma exp_le_inverse : forall x y, exp x <= exp y -> x <= y.
Proof.
  intros x y le. destruct (Rle_lt_dec x y) as [| gt]; [assumption |].
  apply exp_increasing in gt. lra.
Qed.

Lemma exp_le : forall x y, x <= y -> exp x <= exp y.
Proof. intros x y [lt | ->]; [apply Rlt_le, exp_increasing, lt | apply Rle_refl]. Qed.

Lemma tenth : exp (- ln 10) = 1 / 10.
Proof. rewrite exp_Ropp, exp_ln by lra. field. Qed.

Lemma decade_unit_holds : encloses decade_unit (exp (- decade_step)).
Proof.
  pose proof SCALE_positive as S0. unfold decade_unit, encloses. cbn [fst snd].
  assert (forall a, (0 < a)%Z -> exp (ln (IZR a / IZR SCALE)) = IZR a / IZR SCALE) as back.
  { intros a positive. apply exp_ln, Rdiv_lt_0_compat; [now apply IZR_lt | assumption]. }
  split; [apply IZR_le; vm_compute; discriminate |]. split.
  - set (a := (GUESS - SLACK)%Z). assert (0 < a)%Z as A by reflexivity.
    pose proof (ratio_power a A) as [_ [_ high]].
    assert (IZR (snd (power 7170 (a, a))) * 10 <= IZR SCALE) as small
      by (rewrite <- mult_IZR; apply IZR_le; vm_compute; discriminate).
    assert (exp (7170 * ln (IZR a / IZR SCALE)) <= exp (- ln 10)) as le.
    { rewrite tenth. apply Rmult_le_reg_l with (IZR SCALE); lra. }
    apply exp_le_inverse in le.
    assert (ln (IZR a / IZR SCALE) <= - decade_step) as step
      by (unfold decade_step, DECADE_UNIT; lra).
    apply exp_le in step. rewrite back in step by assumption.
    apply Rmult_le_compat_l with (r := IZR SCALE) in step; [| lra].
    replace (IZR SCALE * (IZR a / IZR SCALE)) with (IZR a) in step by (field; lra). assumption.
  - set (a := (GUESS + SLACK)%Z). assert (0 < a)%Z as A by reflexivity.
    pose proof (ratio_power a A) as [_ [low _]].
    assert (IZR SCALE <= IZR (fst (power 7170 (a, a))) * 10) as large
      by (rewrite <- mult_IZR; apply IZR_le; vm_compute; discriminate).
    assert (exp (- ln 10) <= exp (7170 * ln (IZR a / IZR SCALE))) as le.
    { rewrite tenth. apply Rmult_le_reg_l with (IZR SCALE); lra. }
    apply exp_le_inverse in le.
    assert (- decade_step <= ln (IZR a / IZR SCALE)) as step
      by (unfold decade_step, DECADE_UNIT; lra).
    apply exp_le in step. rewrite back in step by assumption.
    apply Rmult_le_compat_l with (r := IZR SCALE) in step; [| lra].
    replace (IZR SCALE * (IZR a / IZR SCALE)) with (IZR a) in step by (field; lra). assumption.
Qed.

Lemma decade_table_holds : table_holds decade_unit DECADE_DIGITS = true.
Proof. vm_compute. reflexivity. Qed.

Lemma true_decade_exp : forall n, true_decade n = exp (- (IZR n * decade_step)).
Proof.
  intros n. unfold true_decade, Rpower, decade_step. f_equal.
  field. apply not_0_IZR. discriminate.
Qed.

Lemma true_exp_exp : forall n, true_exp n = exp (- (IZR n * (1 / IZR EXP_UNIT))).
Proof.
  intros n. unfold true_exp. f_equal. field. apply not_0_IZR. discriminate.
Qed.

Lemma decade_step_positive : 0 < decade_step.
Proof.
  unfold decade_step. apply Rdiv_lt_0_compat; [| apply IZR_lt; reflexivity].
  rewrite <- ln_1. apply ln_increasing; lra.
Qed.

Theorem tables_are_floors_holds : tables_are_floors.
Proof.
  intros j d e. split; intros found D.
  - rewrite true_exp_exp. apply (table_is_sound EXP_DIGITS exp_unit _ j d e);
      [| assumption | apply exp_unit_holds | apply exp_table_holds | assumption].
    apply Rlt_le, Rdiv_lt_0_compat; [lra | apply IZR_lt; reflexivity].
  - rewrite true_decade_exp. apply (table_is_sound DECADE_DIGITS decade_unit _ j d e);
      [| assumption | apply decade_unit_holds | apply decade_table_holds | assumption].
    apply Rlt_le, decade_step_positive.
Qed.

(** * Proofs: the products *)

(** [near k z x]: the integer [z] is at most [k] units below ONE * x, and never above it. *)
Definition near (k : R) (z : Z) (x : R) : Prop :=
  IZR z <= IZR ONE * x <= IZR z + k /\ 0 <= IZR z /\ 0 <= x <= 1.

Lemma ONE_positive : 0 < IZR ONE.
Proof. apply IZR_lt. reflexivity. Qed.

Lemma near_product : forall i j k a b c x y z, 0 <= i -> 0 <= j -> 0 <= k ->
  near i a x -> near j b y -> near k c z ->
  near (i + j + k + 1) (a * b * c / ONE_SQUARED) (x * y * z).
Proof.
  intros i j k a b c x y z I J K [A [A0 X]] [B [B0 Y]] [C [C0 Z]].
  pose proof ONE_positive as O. set (o := IZR ONE) in *.
  pose proof (floor_real (a * b * c) ONE_SQUARED eq_refl) as [low high].
  replace (IZR ONE_SQUARED) with (o * o) in low, high
    by (unfold o, ONE_SQUARED; now rewrite mult_IZR).
  rewrite !mult_IZR in low, high. set (q := IZR (a * b * c / ONE_SQUARED)) in *.
  assert (0 < o * o) as OO by (apply Rmult_lt_0_compat; assumption).
  assert (0 <= q) as Q.
  { unfold q. apply IZR_le. apply le_IZR in A0, B0, C0.
    apply Z.div_pos; [| reflexivity]. apply Z.mul_nonneg_nonneg; nia. }
  set (X' := o * x) in *. set (Y' := o * y) in *. set (Z' := o * z) in *.
  assert (0 <= X' <= o) as XO by (unfold X'; split; nra).
  assert (0 <= Y' <= o) as YO by (unfold Y'; split; nra).
  assert (0 <= Z' <= o) as ZO by (unfold Z'; split; nra).
  assert (X' * Y' * Z' = o * (x * y * z) * (o * o)) as whole_product
    by (unfold X', Y', Z'; ring).
  assert (IZR a * IZR b * IZR c <= X' * Y' * Z') as lower_bound.
  { apply Rmult_le_compat; [apply Rmult_le_pos; lra | lra | | lra].
    apply Rmult_le_compat; lra. }
  assert ((X' - IZR a) * (Y' * Z') <= i * (o * o)) as first.
  { apply Rmult_le_compat; [lra | apply Rmult_le_pos; lra | lra |].
    apply Rmult_le_compat; lra. }
  assert ((Y' - IZR b) * (IZR a * Z') <= j * (o * o)) as second.
  { apply Rmult_le_compat; [lra | apply Rmult_le_pos; lra | lra |].
    apply Rmult_le_compat; lra. }
  assert ((Z' - IZR c) * (IZR a * IZR b) <= k * (o * o)) as third.
  { apply Rmult_le_compat; [lra | apply Rmult_le_pos; lra | lra |].
    apply Rmult_le_compat; lra. }
  assert (X' * Y' * Z' - IZR a * IZR b * IZR c <= (i + j + k) * (o * o)) as upper_bound.
  { replace (X' * Y' * Z' - IZR a * IZR b * IZR c) with
      ((X' - IZR a) * (Y' * Z') + (Y' - IZR b) * (IZR a * Z') + (Z' - IZR c) * (IZR a * IZR b))
      by ring. lra. }
  unfold near. fold o. fold q. split; [split |].
  - apply Rmult_le_reg_r with (o * o); [assumption |]. lra.
  - apply Rmult_le_reg_r with (o * o); [assumption |]. lra.
  - split; [assumption |]. split.
    + apply Rmult_le_pos; [apply Rmult_le_pos |]; lra.
    + replace 1 with (1 * 1 * 1) by ring.
      apply Rmult_le_compat; [apply Rmult_le_pos; lra | lra | | lra].
      apply Rmult_le_compat; lra.
Qed.

Lemma near_1 : near 0 ONE 1.
Proof. pose proof ONE_positive. unfold near. lra. Qed.

Lemma near_pair : forall i j a b x y, 0 <= i -> 0 <= j -> near i a x -> near j b y ->
  near (i + j + 1) (a * b / ONE) (x * y).
Proof.
  intros i j a b x y I J A B. pose proof (near_product i j 0 a b ONE x y 1 I J (Rle_refl 0) A B near_1)
    as product.
  unfold ONE_SQUARED in product. rewrite Z.div_mul_cancel_r in product by discriminate.
  replace (x * y * 1) with (x * y) in product by ring.
  replace (i + j + 0 + 1) with (i + j + 1) in product by ring. assumption.
Qed.

Lemma digit_cases : forall d, (0 <= d < 8)%Z ->
  (d = 0 \/ d = 1 \/ d = 2 \/ d = 3 \/ d = 4 \/ d = 5 \/ d = 6 \/ d = 7)%Z.
Proof. intros d D. lia. Qed.

Lemma exp_row_full : forall j d, (j < 9)%nat -> (0 <= d < 8)%Z ->
  exists e, lookup EXP_DIGITS j d = Some e /\ (0 <= e)%Z.
Proof.
  intros j d J D.
  do 9 (destruct j as [| j];
    [destruct (digit_cases d D) as [-> | [-> | [-> | [-> | [-> | [-> | [-> | ->]]]]]]];
       (eexists; split; [reflexivity | discriminate]) |]).
  lia.
Qed.

Lemma decade_row_full : forall j d, (j < 5)%nat -> (0 <= d < 8)%Z ->
  exists e, lookup DECADE_DIGITS j d = Some e /\ (0 <= e)%Z.
Proof.
  intros j d J D.
  do 5 (destruct j as [| j];
    [destruct (digit_cases d D) as [-> | [-> | [-> | [-> | [-> | [-> | [-> | ->]]]]]]];
       (eexists; split; [reflexivity | discriminate]) |]).
  lia.
Qed.

Theorem every_digit_has_an_entry_holds : every_digit_has_an_entry.
Proof.
  intros n j N. pose proof (Z.mod_pos_bound (n / 8 ^ Z.of_nat j) 8 eq_refl) as D.
  split; intros J.
  - destruct (exp_row_full j _ J D) as (e & -> & _). discriminate.
  - destruct (decade_row_full j _ J D) as (e & -> & _). discriminate.
Qed.

Lemma true_exp_range : forall n, (0 <= n)%Z -> 0 <= true_exp n <= 1.
Proof.
  intros n N. rewrite true_exp_exp. split; [apply Rlt_le, exp_pos |].
  apply Rle_trans with (exp 0); [apply exp_le | rewrite exp_0; lra].
  assert (0 <= IZR n * (1 / IZR EXP_UNIT)); [| lra].
  apply Rmult_le_pos; [now apply IZR_le |].
  apply Rlt_le, Rdiv_lt_0_compat; [lra | apply IZR_lt; reflexivity].
Qed.

Lemma true_decade_range : forall n, (0 <= n)%Z -> 0 <= true_decade n <= 1.
Proof.
  intros n N. rewrite true_decade_exp. split; [apply Rlt_le, exp_pos |].
  apply Rle_trans with (exp 0); [apply exp_le | rewrite exp_0; lra]. pose proof decade_step_positive.
  assert (0 <= IZR n * decade_step); [| lra]. apply Rmult_le_pos; [now apply IZR_le | lra].
Qed.

Lemma exp_entry_near : forall j d, (j < 9)%nat -> (0 <= d < 8)%Z ->
  near 1 (entry EXP_DIGITS j d) (true_exp (d * 8 ^ Z.of_nat j)).
Proof.
  intros j d J D. destruct (exp_row_full j d J D) as (e & found & nonneg).
  unfold entry. rewrite found.
  pose proof (proj1 (tables_are_floors_holds j d e) found (proj1 D)) as floor.
  unfold near. split; [lra |]. split; [now apply IZR_le |].
  apply true_exp_range. apply Z.mul_nonneg_nonneg; [lia |]. apply Z.pow_nonneg. lia.
Qed.

Lemma decade_entry_near : forall j d, (j < 5)%nat -> (0 <= d < 8)%Z ->
  near 1 (entry DECADE_DIGITS j d) (true_decade (d * 8 ^ Z.of_nat j)).
Proof.
  intros j d J D. destruct (decade_row_full j d J D) as (e & found & nonneg).
  unfold entry. rewrite found.
  pose proof (proj2 (tables_are_floors_holds j d e) found (proj1 D)) as floor.
  unfold near. split; [lra |]. split; [now apply IZR_le |].
  apply true_decade_range. apply Z.mul_nonneg_nonneg; [lia |]. apply Z.pow_nonneg. lia.
Qed.

Lemma true_exp_plus : forall a b, true_exp (a + b) = true_exp a * true_exp b.
Proof. intros a b. rewrite !true_exp_exp, <- exp_plus, plus_IZR. f_equal. ring. Qed.

Lemma true_decade_plus : forall a b, true_decade (a + b) = true_decade a * true_decade b.
Proof. intros a b. rewrite !true_decade_exp, <- exp_plus, plus_IZR. f_equal. ring. Qed.

Lemma peel : forall n p q, (0 < p)%Z -> (q = p * 8)%Z -> (n / p = 8 * (n / q) + n / p mod 8)%Z.
Proof.
  intros n p q P ->. rewrite <- Z.div_div by lia. pose proof (Z.div_mod (n / p) 8). lia.
Qed.

Definition digit (n p : Z) : Z := (n / p mod 8)%Z.

Lemma digit_range : forall n p, (0 <= digit n p < 8)%Z.
Proof. intros n p. apply Z.mod_pos_bound. reflexivity. Qed.

Lemma five_digits : forall n, (0 <= n)%Z ->
  n = (digit n 1 * 8 ^ 0 + digit n 8 * 8 ^ 1 + digit n 64 * 8 ^ 2 + digit n 512 * 8 ^ 3
       + n / 4096 * 8 ^ 4)%Z.
Proof.
  intros n N. unfold digit.
  pose proof (peel n 1 8 eq_refl eq_refl) as one. pose proof (peel n 8 64 eq_refl eq_refl).
  pose proof (peel n 64 512 eq_refl eq_refl). pose proof (peel n 512 4096 eq_refl eq_refl).
  rewrite Z.div_1_r in *.
  change (8 ^ 0)%Z with 1%Z. change (8 ^ 1)%Z with 8%Z. change (8 ^ 2)%Z with 64%Z.
  change (8 ^ 3)%Z with 512%Z. change (8 ^ 4)%Z with 4096%Z. lia.
Qed.

Lemma nine_digits : forall n, (0 <= n <= EXP_MAX)%Z ->
  n = (digit n 1 * 8 ^ 0 + digit n 8 * 8 ^ 1 + digit n 64 * 8 ^ 2
       + (digit n 512 * 8 ^ 3 + digit n 4096 * 8 ^ 4 + digit n 32768 * 8 ^ 5)
       + (digit n 262144 * 8 ^ 6 + digit n 2097152 * 8 ^ 7 + digit n 16777216 * 8 ^ 8))%Z.
Proof.
  intros n [N M]. pose proof (five_digits n N) as low. unfold digit in *.
  pose proof (peel n 4096 32768 eq_refl eq_refl). pose proof (peel n 32768 262144 eq_refl eq_refl).
  pose proof (peel n 262144 2097152 eq_refl eq_refl).
  pose proof (peel n 2097152 16777216 eq_refl eq_refl).
  assert (n / 16777216 mod 8 = n / 16777216)%Z as top.
  { apply Z.mod_small. unfold EXP_MAX in M. split; [apply Z.div_pos; lia |].
    apply Z.div_lt_upper_bound; lia. }
  rewrite top.
  change (8 ^ 0)%Z with 1%Z in *. change (8 ^ 1)%Z with 8%Z in *. change (8 ^ 2)%Z with 64%Z in *.
  change (8 ^ 3)%Z with 512%Z in *. change (8 ^ 4)%Z with 4096%Z in *.
  change (8 ^ 5)%Z with 32768%Z. change (8 ^ 6)%Z with 262144%Z.
  change (8 ^ 7)%Z with 2097152%Z. change (8 ^ 8)%Z with 16777216%Z. lia.
Qed.

Lemma exp_down_near : forall n, (0 <= n <= EXP_MAX)%Z -> near 13 (exp_down n) (true_exp n).
Proof.
  intros n N. rewrite (nine_digits n N) at 2. rewrite !true_exp_plus.
  unfold exp_down. rewrite Z.min_l by apply N. cbv zeta.
  fold (digit n 8) (digit n 64) (digit n 512) (digit n 4096) (digit n 32768) (digit n 262144)
    (digit n 2097152) (digit n 16777216).
  replace (n mod 8)%Z with (digit n 1) by (unfold digit; now rewrite Z.div_1_r).
  assert (forall j p, (j < 9)%nat ->
            near 1 (entry EXP_DIGITS j (digit n p)) (true_exp (digit n p * 8 ^ Z.of_nat j)))
    as entries by (intros; apply exp_entry_near; [assumption | apply digit_range]).
  replace 13 with (4 + 4 + 4 + 1) by ring.
  apply near_product; try lra; replace 4 with (1 + 1 + 1 + 1) by ring;
    (apply near_product; [lra | lra | lra | | |]).
  - apply (entries 0%nat). lia.
  - apply (entries 1%nat). lia.
  - apply (entries 2%nat). lia.
  - apply (entries 3%nat). lia.
  - apply (entries 4%nat). lia.
  - apply (entries 5%nat). lia.
  - apply (entries 6%nat). lia.
  - apply (entries 7%nat). lia.
  - apply (entries 8%nat). lia.
Qed.

Lemma true_exp_falls : forall m n, (m <= n)%Z -> true_exp n <= true_exp m.
Proof.
  intros m n le. rewrite !true_exp_exp. apply exp_le. apply IZR_le in le.
  assert (IZR m * (1 / IZR EXP_UNIT) <= IZR n * (1 / IZR EXP_UNIT)); [| lra].
  apply Rmult_le_compat_r; [| assumption].
  apply Rlt_le, Rdiv_lt_0_compat; [lra | apply IZR_lt; reflexivity].
Qed.

Lemma exp_down_saturates : forall n, (EXP_MAX <= n)%Z -> exp_down n = 0%Z.
Proof. intros n far. unfold exp_down. rewrite Z.min_r by assumption. vm_compute. reflexivity. Qed.

Lemma near_bounded : forall k z x, near k z x -> (0 <= z <= ONE)%Z.
Proof.
  intros k z x [A [B C]]. pose proof ONE_positive. split; apply le_IZR; [assumption |].
  assert (IZR ONE * x <= IZR ONE * 1) by (apply Rmult_le_compat_l; lra). lra.
Qed.

Theorem exp_down_is_conservative_holds : exp_down_is_conservative.
Proof.
  intros n N. unfold ERROR_MAX. destruct (Z.le_gt_cases n EXP_MAX) as [M | far].
  - pose proof (exp_down_near n (conj N M)) as close. split; [apply close |].
    eapply near_bounded, close.
  - assert (EXP_MAX <= n)%Z as beyond by lia.
    rewrite (exp_down_saturates n beyond).
    pose proof (exp_down_near EXP_MAX ltac:(unfold EXP_MAX; lia)) as [[_ last] _].
    rewrite (exp_down_saturates EXP_MAX (Z.le_refl _)) in last.
    pose proof (true_exp_falls EXP_MAX n beyond) as falls.
    pose proof (true_exp_range n N). pose proof ONE_positive.
    assert (IZR ONE * true_exp n <= IZR ONE * true_exp EXP_MAX)
      by (apply Rmult_le_compat_l; lra).
    assert (0 <= IZR ONE * true_exp n) by (apply Rmult_le_pos; lra).
    split; [lra | unfold ONE; lia].
Qed.

Theorem exp_up_is_conservative_holds : exp_up_is_conservative.
Proof.
  intros n N. destruct (exp_down_is_conservative_holds n N) as [[low high] [zero one]].
  pose proof (true_exp_range n N). pose proof ONE_positive.
  assert (IZR ONE * true_exp n <= IZR ONE) as below_one.
  { assert (IZR ONE * true_exp n <= IZR ONE * 1) by (apply Rmult_le_compat_l; lra). lra. }
  unfold exp_up, ERROR_MAX in *. rewrite <- plus_IZR in high.
  destruct (Z.min_spec ONE (exp_down n + 13)) as [[lt ->] | [ge ->]].
  - apply IZR_lt in lt. rewrite plus_IZR in lt. split; [lra | unfold ONE; lia].
  - rewrite plus_IZR in *. split; [lra | lia].
Qed.

Theorem decade_down_is_conservative_holds : decade_down_is_conservative.
Proof.
  intros n N. assert (near 8 (decade_down n) (true_decade n)) as close.
  { rewrite (five_digits n (proj1 N)) at 2.
    replace (n / 4096)%Z with (digit n 4096).
    2: { unfold digit. apply Z.mod_small. unfold DECADE_MAX in N. split; [apply Z.div_pos; lia |].
         apply Z.div_lt_upper_bound; lia. }
    replace (digit n 1 * 8 ^ 0 + digit n 8 * 8 ^ 1 + digit n 64 * 8 ^ 2 + digit n 512 * 8 ^ 3
             + digit n 4096 * 8 ^ 4)%Z
      with (digit n 1 * 8 ^ 0 + digit n 8 * 8 ^ 1 + digit n 64 * 8 ^ 2
            + (digit n 512 * 8 ^ 3 + digit n 4096 * 8 ^ 4))%Z by ring.
    rewrite !true_decade_plus. unfold decade_down. cbv zeta.
    fold (digit n 8) (digit n 64) (digit n 512) (digit n 4096).
    replace (n mod 8)%Z with (digit n 1) by (unfold digit; now rewrite Z.div_1_r).
    assert (forall j p, (j < 5)%nat ->
              near 1 (entry DECADE_DIGITS j (digit n p)) (true_decade (digit n p * 8 ^ Z.of_nat j)))
      as entries by (intros; apply decade_entry_near; [assumption | apply digit_range]).
    replace 8 with (4 + 3 + 1) by ring. apply near_pair; try lra.
    - replace 4 with (1 + 1 + 1 + 1) by ring. apply near_product; try lra.
      + apply (entries 0%nat). lia.
      + apply (entries 1%nat). lia.
      + apply (entries 2%nat). lia.
    - replace 3 with (1 + 1 + 1) by ring. apply near_pair; try lra.
      + apply (entries 3%nat). lia.
      + apply (entries 4%nat). lia. }
  split; [| eapply near_bounded, close]. destruct close as [bounds _]. unfold ERROR_MAX. lra.
Qed.
