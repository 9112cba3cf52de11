package api

import (
	"superlist/lists/access"
	"superlist/lists/request"
)

// A Route is one thing that a program can ask.
type Route struct {
	Method, Path string
	Scope        access.Scope // "": any token
	Doc          string
	Query        []string // what may stand behind ?
	In, Out      any      // what is sent, and what is answered
	do           func(*call)
}

// routes returns all that there is.
func routes() []Route {
	page := []string{"search", "after", "limit"}
	return []Route{
		{"GET", "token", "", "What the token permits.", nil, nil, TokenInfo{}, (*call).about},
		{"GET", "requests/{id}", "", "What has become of a request.", nil, nil, request.Outcome{}, (*call).outcome},

		{"GET", "lists", access.Read, "The lists that the token is for.", page[1:], nil, ListPage{}, (*call).lists},
		{"POST", "lists", access.Lists, "Creates a list.", nil, NewList{}, request.Outcome{}, (*call).create},
		{"GET", "lists/{list}", access.Read, "A list.", nil, nil, ListInfo{}, (*call).show},
		{"PATCH", "lists/{list}", access.Lists, "Gives a list another address; the old one becomes an alias.", nil, ListChange{}, request.Outcome{}, (*call).rename},
		{"DELETE", "lists/{list}", access.Lists, "Removes a list with everything that it has.", nil, nil, request.Outcome{}, (*call).remove},

		{"GET", "lists/{list}/settings", access.Read, "The settings of a list, and what each means.", nil, nil, SettingList{}, (*call).settings},
		{"PATCH", "lists/{list}/settings", access.Settings, "Changes settings; with dry_run=true it only says what would change.", []string{"dry_run"}, NewSettings{}, request.Outcome{}, (*call).set},

		{"GET", "lists/{list}/members", access.Members, "The members, by address.", page, nil, MemberPage{}, (*call).members},
		{"POST", "lists/{list}/members", access.Members, "Adds members. Who is one already stays as they are.", nil, NewMembers{}, request.Outcome{}, (*call).add},
		{"GET", "lists/{list}/members/{address}", access.Members, "One member.", nil, nil, Member{}, (*call).member},
		{"PATCH", "lists/{list}/members/{address}", access.Members, "Gives a member other words, or another address.", nil, MemberChange{}, request.Outcome{}, (*call).change},
		{"DELETE", "lists/{list}/members/{address}", access.Members, "Removes a member.", nil, nil, request.Outcome{}, (*call).drop},

		{"GET", "lists/{list}/applicants", access.Members, "Who waits for the owners.", nil, nil, ApplicantList{}, (*call).applicants},
		{"POST", "lists/{list}/applicants/{name}", access.Members, "Lets an applicant in, or not: do is letin or decline.", nil, Decision{}, request.Outcome{}, (*call).decideApplicant},

		{"GET", "lists/{list}/bounces", access.Members, "Whose mail came back.", nil, nil, BouncedList{}, (*call).bounces},
		{"DELETE", "lists/{list}/bounces/{address}", access.Members, "Forgets what came back; a suspended member gets mail again.", nil, nil, request.Outcome{}, (*call).clear},

		{"GET", "lists/{list}/held", access.Moderate, "The posts that wait for a decision.", nil, nil, HeldList{}, (*call).held},
		{"GET", "lists/{list}/held/{name}", access.Moderate, "One of them, with its text as it came.", nil, nil, HeldPost{}, (*call).heldPost},
		{"POST", "lists/{list}/held/{name}", access.Moderate, "Decides: do is accept, allow, reject, discard or ban.", nil, Decision{}, request.Outcome{}, (*call).decideHeld},

		{"POST", "lists/{list}/removals", access.Posts, "Removes posts from the archive for good, by number or by author; with dry_run=true it only says which.", []string{"dry_run"}, NewRemoval{}, request.Outcome{}, (*call).removePosts},
		{"GET", "lists/{list}/digest", access.Read, "What waits for the next digest.", nil, nil, DigestInfo{}, (*call).digest},
		{"POST", "lists/{list}/digest", access.Posts, "Sends what waits for the digest, now.", nil, nil, request.Outcome{}, (*call).sendDigest},
		{"GET", "lists/{list}/activity", access.Read, "Posts and authors by month, the newest last.", nil, nil, MonthList{}, (*call).activity},
		{"GET", "lists/{list}/log", access.Log, "Who has changed what, the newest last.", []string{"since", "limit"}, nil, ActList{}, (*call).log},
	}
}
