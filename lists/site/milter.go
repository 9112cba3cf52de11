package site

import (
	"cmp"
	"time"

	"superlist/lists/config"
	"superlist/milter"
)

// A Milter is a table [[milter]]: a mail filter that is asked about every message
// before the lists see it.
type Milter struct {
	Address        string // ip:port, unix:/path
	DefaultAction  string
	ConnectTimeout config.Duration
	CommandTimeout config.Duration
	ContentTimeout config.Duration
	TotalTimeout   config.Duration
}

// Keys returns the keys that the table may have.
func (m *Milter) Keys() []config.Key {
	return []config.Key{
		{Name: "address", To: &m.Address},
		{Name: "default_action", To: &m.DefaultAction},
		{Name: "connect_timeout", To: &m.ConnectTimeout},
		{Name: "command_timeout", To: &m.CommandTimeout},
		{Name: "content_timeout", To: &m.ContentTimeout},
		{Name: "total_timeout", To: &m.TotalTimeout},
	}
}

// milterTables are all tables [[milter]].
type milterTables []Milter

// Add adds a table.
func (ms *milterTables) Add() config.Table {
	*ms = append(*ms, Milter{})
	return &(*ms)[len(*ms)-1]
}

// Values of Milter.DefaultAction: what happens to a message if the filter cannot be
// asked.
const (
	MilterAccept   = "accept"
	MilterTempfail = "tempfail"
	MilterReject   = "reject"
	MilterHold     = "hold"
)

// milterConnect is how long connecting to a filter may take. Filters are on this host
// or near it.
const milterConnect = 5 * time.Second

// check sets defaults, and checks the rest.
func (m *Milter) check() (key, text string) {
	if _, err := ParseTarget(m.Address); err != nil {
		return "address", "must be ip:port or unix:/path"
	}
	m.DefaultAction = cmp.Or(m.DefaultAction, MilterTempfail)
	switch m.DefaultAction {
	case MilterAccept, MilterTempfail, MilterReject, MilterHold:
	default:
		return "default_action", "must be accept, tempfail, reject or hold"
	}
	m.ConnectTimeout = cmp.Or(m.ConnectTimeout, config.Duration(milterConnect))
	m.CommandTimeout = cmp.Or(m.CommandTimeout, config.Duration(milter.CommandTimeout))
	m.ContentTimeout = cmp.Or(m.ContentTimeout, config.Duration(milter.ContentTimeout))
	m.TotalTimeout = cmp.Or(m.TotalTimeout, config.Duration(milter.TotalTimeout))
	return "", ""
}
