// Package policy decides what a list does with what comes for it: who may post, what is
// held, asked about, dropped or refused, and which commands are permitted. A refusal is a
// smtp.Reply, declared here beside the rule that speaks it.
//
// It knows neither files nor processes. Who is on the list a Finder says, and what was
// asked for before the quotas and confirmations do. It is asked twice: in the session,
// so that whoever hears no is still on the line, and by deliver, which knows more about
// who wrote the message; what the one refuses the other would refuse too.
package policy
