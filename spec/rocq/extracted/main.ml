(* Answers of the extracted functions, one line each.
   Input lines: "range NAME FIRST LAST" for a function of one argument, or "call NAME A B …". *)

module Big = Z
open Curves

let z = Big.of_string
let profile = function "0" -> Bible | _ -> Specification
let posture = function "0" -> HIBERNATE | "1" -> TURTLE | "2" -> STALKER | _ -> APEX

let one = function
  | "structural_decay_bible" -> structural_decay_bible
  | "structural_decay_specification" -> structural_decay_specification
  | "environment_bible" -> environment_bible
  | "environment_specification" -> environment_specification
  | "capital" -> capital
  | "micro_bible" -> (fun n -> micro_bible n n)
  | "latency_specification" -> latency_specification
  | "jitter_specification" -> jitter_specification
  | "depth_specification" -> depth_specification
  | "exp_down" -> exp_down
  | "exp_up" -> exp_up
  | "decade_down" -> decade_down
  | name -> failwith name

let many name arguments =
  match (name, arguments) with
  | "mul", [ a; b ] -> [ product (z a) (z b) ]
  | "micro_bible", [ a; b ] -> [ micro_bible (z a) (z b) ]
  | "recovery_step", [ dt; gap; p ] -> [ recovery_step (z dt) (z gap) (profile p) ]
  | "recovered", [ m; t; dt; p ] -> [ recovered (z m) (z t) (z dt) (profile p) ]
  | "lower", [ m; t ] -> [ lower (z m) (z t) ]
  | "called", [ h; m; p ] -> [ rank (called (posture h) (z m) (profile p)) ]
  | "effective", [ h; m; p ] -> [ rank (effective (posture h) (z m) (profile p)) ]
  | "counted", [ p; h; below; above; m; may ] ->
      let machine = { held = posture h; bars_below = z below; bars_above = z above } in
      let bar = { multiplier = z m; may_leave_hibernate = may = "1" } in
      let next, fence = counted (profile p) machine bar in
      [ rank next.held; next.bars_below; next.bars_above; (if fence then Big.one else Big.zero) ]
  | "target", [ killed; p; stale; s; fa; ba; sa; d; f; l; j; dd ] ->
      let readings =
        { status = z s; forewarner_age_ms = z fa; book_age_ms = z ba; shock_age_ms = z sa;
          depth_quality_ppm = z d; fill_probability_ppm = z f; book_latency_ms = z l;
          book_jitter_ms = z j; drawdown_ppm = z dd } in
      [ target (killed = "1") readings (profile p) (z stale) ]
  | _ -> failwith name

let () =
  try
    while true do
      match String.split_on_char ' ' (input_line stdin) with
      | [ "range"; name; first; last ] ->
          let code = one name in
          for n = int_of_string first to int_of_string last do
            print_string (Big.to_string (code (Big.of_int n)));
            print_char '\n'
          done
      | "call" :: name :: arguments ->
          print_endline (String.concat " " (List.map Big.to_string (many name arguments)))
      | _ -> failwith "a line that is neither range nor call"
    done
  with End_of_file -> ()
