package cluster_test

// A does is how a step or a fault is added to what can happen next.
type does func(what string, who int8, do func(*state))

// around adds what happens to a host, whatever its processes do.
func (s *state) around(i int8, has func(guard) bool, add does, fail func(fault, string, int8, func(*state))) {
	h, other := &s.host[i], 1-i
	switch {
	case !h.up:
		add("host comes back", i, func(t *state) { t.host[i].up, t.host[i].asked = true, false })
		if !h.ghost && s.host[other].up && !s.host[other].ghost {
			add("host is adopted", i, func(t *state) {
				t.host[i].ghost = true
				for j := range t.work {
					if t.work[j].host == i {
						t.work[j].host = other
					}
				}
			})
		}
		return
	case h.ghost:
		for j := range s.work {
			if !has(asks) && s.work[j].kind == post {
				add("host sends again what was adopted", i, func(t *state) { t.wrong = postTwice })
			}
		}
		return
	}
	if !h.cut && !h.asked {
		add("host asks whether it was adopted", i, func(t *state) { t.host[i].asked = true })
	}
	fail(deaths, "host dies", i, func(t *state) {
		t.host[i].up = false
		for j := range t.work {
			if t.work[j].host == i {
				t.dies(int8(j))
			}
		}
	})
	if h.cut {
		add("host is joined again", i, func(t *state) { t.host[i].cut = false })
	} else {
		fail(cuts, "host is cut off", i, func(t *state) { t.host[i].cut = true })
	}
	if !h.cut && h.asked && (h.lock == 0 || !has(hostLock)) && (h.changing || h.version != s.version) {
		add("host brings its copy up to date", i, func(t *state) { t.refresh(&t.host[i], has) })
	}
}

// dies is what is left when a process ends, or gives up.
func (s *state) dies(j int8) {
	w := &s.work[j]
	if h := &s.host[w.host]; h.lock == j+1 {
		h.lock = 0
	}
	if w.at != done {
		w.at, w.id = idle, 0
	}
	w.alive = false
}

// process adds what a job's process and its session can do.
func (s *state) process(j int8, has func(guard) bool, add does, fail func(fault, string, int8, func(*state))) {
	w := &s.work[j]
	h := &s.host[w.host]
	busy := w.at > idle && w.at < heard
	if s.host[0].up && s.host[1].up && s.work[0].host == s.work[1].host && w.at != idle && w.at != done {
		fail(deaths, "process dies", j, func(t *state) { t.dies(j) })
	}
	if busy && w.alive {
		fail(stops, "process is stopped", j, func(t *state) {
			t.work[j].alive = false
			if t.lock == j+1 {
				t.lock = 0
			}
		})
	}
	if busy && (h.cut || !w.alive) {
		add("process cannot commit", j, func(t *state) {
			t.dies(j)
			if !has(keepMark) {
				t.host[w.host].changing = false
			}
		})
	}
	if w.kind == digest {
		s.sends(j, has, add)
	}
	switch w.at {
	case idle:
		s.begins(j, has, add)
	case began:
		s.changes(j, has, add)
	case marked:
		add("process writes its files", j, func(t *state) {
			t.write(j, has)
			t.work[j].at = written
		})
	case written:
		s.commits(j, has, add, fail)
		if !has(effectsAfter) && !w.sent {
			add("process does what follows", j, func(t *state) { t.follows(j, t.host[w.host].copy.member, has) })
		}
	case heard:
		add("process says that its copy is changed", j, func(t *state) {
			h, w := &t.host[t.work[j].host], &t.work[j]
			h.version, h.changing, h.lock, w.at = w.read+1, false, 0, settled
		})
	case settled, afresh:
		s.settles(j, has, add)
	}
}

// begins adds what a process does that has not begun.
func (s *state) begins(j int8, has func(guard) bool, add does) {
	w := &s.work[j]
	h := &s.host[w.host]
	if w.kind == plain {
		add("process changes nothing", j, func(t *state) { t.work[j].at = settled })
		return
	}
	if h.cut && w.kind == post && !w.sent && h.asked && (!h.changing || !has(clean)) {
		add("process sends its post from the copy; the number waits", j, func(t *state) {
			t.goes(j, t.host[w.host].copy.member)
		})
	}
	if h.cut || !h.asked || s.lock != 0 && has(rowLock) || h.lock != 0 && has(hostLock) {
		return
	}
	add("process begins", j, func(t *state) {
		h, w := &t.host[t.work[j].host], &t.work[j]
		t.lock, h.lock = j+1, j+1
		w.alive, w.at, w.read = true, began, t.version
		if has(upToDate) {
			t.refresh(h, has)
		}
	})
}

// changes adds what a process does that has begun.
func (s *state) changes(j int8, has func(guard) bool, add does) {
	w := &s.work[j]
	f := s.host[w.host].copy
	if w.kind == digest && w.id == 0 && f.issue() < nIssues {
		add("process makes a digest", j, func(t *state) {
			w := &t.work[j]
			if w.id = int8(f.issue()) + 1; has(ownID) {
				for w.id = 1; t.issueOf[w.id] != 0; w.id++ {
				}
			}
			t.issueOf[w.id] = int8(f.issue()) + 1
			if has(spoolFirst) {
				w.spool |= 1 << w.id
			}
		})
		return
	}
	if !f.change(w.kind, j, w.id, has) { // nothing to do: rollback
		add("process finds that it is done", j, func(t *state) {
			w := &t.work[j]
			if t.host[w.host].lock = 0; t.lock == j+1 {
				t.lock = 0
			}
			w.at = settled
		})
		return
	}
	add("process marks its copy", j, func(t *state) {
		t.work[j].at = marked
		if has(markFirst) {
			t.host[w.host].changing = true
		}
	})
}

func (s *state) write(j int8, has func(guard) bool) {
	w := &s.work[j]
	s.host[w.host].copy.change(w.kind, j, w.id, has)
}

// commits adds what can become of a commit.
func (s *state) commits(j int8, has func(guard) bool, add does, fail func(fault, string, int8, func(*state))) {
	w := &s.work[j]
	f := s.host[w.host].copy
	if s.host[w.host].cut || !w.alive && has(fence) {
		return
	}
	add("process commits", j, func(t *state) {
		t.commit(j, w.read, f)
		t.work[j].at = heard
	})
	fail(losses, "process commits, and does not hear of it", j, func(t *state) {
		t.commit(j, w.read, f)
		t.dies(j)
	})
	if s.flight.by == 0 && w.alive {
		fail(losses, "process sends its commit, and gives up", j, func(t *state) {
			t.flight = flight{j + 1, w.read, f}
			t.dies(j)
		})
	}
}

// lands adds what the database does with sessions of whom it does not hear.
func (s *state) lands(add does) {
	if s.flight.by != 0 {
		add("a commit arrives", s.flight.by-1, func(t *state) {
			t.commit(t.flight.by-1, t.flight.read, t.flight.files)
			t.flight = flight{}
		})
		add("a commit does not arrive", s.flight.by-1, func(t *state) {
			if t.lock == t.flight.by {
				t.lock = 0
			}
			t.flight = flight{}
		})
	} else if s.lock != 0 && !s.work[s.lock-1].alive {
		add("the database ends the session", s.lock-1, func(t *state) { t.lock = 0 })
	}
}

// settles adds what follows after End.
func (s *state) settles(j int8, has func(guard) bool, add does) {
	w := &s.work[j]
	h := &s.host[w.host]
	follow := func(what string, refresh bool) {
		add(what, j, func(t *state) {
			if h := &t.host[t.work[j].host]; refresh {
				t.refresh(h, has)
			}
			t.follows(j, t.host[w.host].copy.member, has)
			t.work[j].at = done
		})
	}
	switch {
	case w.kind != post && w.kind != plain:
		follow("process does what follows", false)
	case h.cut && !w.sent && (!h.changing || !has(clean)):
		follow("process sends its post from the copy", false)
	case h.cut:
	case w.at == afresh, !has(syncFirst) && h.lock == 0 && !h.changing:
		follow("process sends its post", false)
	case !has(clean) && h.lock == 0:
		add("process brings its copy up to date", j, func(t *state) {
			t.refresh(&t.host[w.host], has)
			t.work[j].at = afresh
		})
	case h.lock == 0:
		follow("process brings its copy up to date and sends its post", true)
	}
}

// follows is what follows from a job.
func (s *state) follows(j int8, member bool, has func(guard) bool) {
	w := &s.work[j]
	f := &s.host[w.host].copy
	switch w.kind {
	case post, plain:
		if !w.sent {
			if w.late && member && !s.host[w.host].cut {
				s.wrong = gotPost
			}
			s.goes(j, member)
		}
		if w.kind == post && f.number[j] != s.truth().number[j] {
			s.wrong = notItsNumber
		}
	case confirm:
		w.sent = f.spentBy == j+1 || !has(firstWins)
		if a, b := s.work[0], s.work[1]; a.kind == b.kind && a.sent && b.sent {
			s.wrong = confirmedTwice
		}
	case remove:
		w.sent = true
		for k := range s.work { // posts that nobody has begun with are accepted after this
			if o := &s.work[k]; (o.kind == post || o.kind == plain) && o.at == idle && s.truth().number[k] == 0 && !o.sent {
				o.late = true
			}
		}
	case digest:
		if !has(spoolFirst) && w.id != 0 {
			w.spool |= 1 << w.id
		}
	}
}

// goes sends a post to the members.
func (s *state) goes(j int8, member bool) {
	s.work[j].sent = true
	if !s.was(func(f files) bool { return f.member == member }) {
		s.wrong = neverCommitted
	}
}

// sends adds what is done with digests that are in the spool.
func (s *state) sends(j int8, has func(guard) bool, add does) {
	w := &s.work[j]
	h := &s.host[w.host]
	if has(freshState) && (h.cut || !h.asked || h.lock != 0 && has(hostLock)) {
		return
	}
	for id := int8(1); id < maxIDs; id++ {
		if w.spool&(1<<id) == 0 {
			continue
		}
		add("process looks at its digests", j, func(t *state) {
			h, w := &t.host[t.work[j].host], &t.work[j]
			if has(freshState) {
				t.refresh(h, has)
			}
			issue := t.issueOf[id] - 1
			made := h.copy.made[issue]
			if last := h.copy.issue() - 1; !has(eachIssue) && last >= 0 {
				made = h.copy.made[last]
			}
			if made == 0 {
				return
			}
			w.spool &^= 1 << id
			if made == id {
				if t.out[issue]++; t.out[issue] > 1 {
					t.wrong = digestTwice
				}
			}
		})
	}
}
