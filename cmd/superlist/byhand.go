package main

import (
	"time"

	"github.com/spf13/cobra"

	"superlist/lists"
	"superlist/lists/members"
	"superlist/lists/people"
)

// byHand returns a request by the operator.
func byHand(l *lists.List, verb string, members ...members.Member) people.Request {
	return people.Request{
		List: l, Command: lists.Command{Verb: verb}, Members: members, Operator: operator(), At: time.Now(),
	}
}

// ask carries out a request by the operator.
func (a *app) ask(c *cobra.Command, list, verb string, dryRun bool, members ...members.Member) (*lists.List, people.Outcome, error) {
	site, l, err := a.siteList(list)
	if err != nil {
		return nil, people.Outcome{}, err
	}
	r := newRunner(c, site)
	defer r.Log.Close()
	q := byHand(l, verb, members...)
	q.DryRun = dryRun
	o, err := r.Do(q)
	return l, o, err
}
