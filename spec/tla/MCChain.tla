------------------------------ MODULE MCChain -------------------------------
(* Chain, bounded by RECORDS_MAX in its own guards. *)
EXTENDS Chain
=============================================================================
