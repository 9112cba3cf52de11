// Package policy decides what a list does with incoming mail: who may post, what is
// held, asked about, dropped or refused, and which commands are permitted. A refusal is
// a smtp.Reply, declared here beside the rule that uses it.
//
// It knows neither files nor processes. A Finder knows who is on the list, and quotas
// and confirmations know what was asked before. The policy is asked twice: in the
// session, so that the sender hears a refusal at once, and by deliver, which knows more
// about who wrote the message. Whatever the session refuses, deliver would refuse too.
package policy
