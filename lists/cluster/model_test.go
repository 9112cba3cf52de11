package cluster_test

// The model has two hosts, a database and one list. Each job is a message in a host's
// spool, and the process that works at it. A process or a host can die and begin again, be
// cut off and joined again, be stopped for longer than the database waits, and hear nothing
// of a commit that has happened or is still under way. The database ends the session of
// whom it does not hear. What waits on a dead host can be adopted by the other one.

const (
	nHosts  = 2
	nJobs   = 2
	nIssues = 2 // of a digest
	maxIDs  = 8
)

// A guard is a rule of the protocol. The model can do without any one of them.
type guard int

const (
	rowLock      guard = iota // one transaction of a unit at a time
	hostLock                  // one process of a host at a time, until it has heard of its commit
	fence                     // a session that has ended commits nothing
	upToDate                  // Begin brings the copy up to date
	markFirst                 // "changing" is durable before the first file changes
	keepMark                  // it stays when the commit has failed
	compare                   // a copy that says "changing" is compared whole
	effectsAfter              // effects follow End
	cause                     // what was done is found again by its cause
	firstWins                 // a proof that is spent is spent
	syncFirst                 // a post goes to members by a fresh copy
	clean                     // and never by one that is being changed
	spoolFirst                // a digest is in the spool before the commit
	ownID                     // each attempt at a digest has an id of its own
	freshState                // a digest is sent by a fresh state
	eachIssue                 // which has what was made of each issue
	asks                      // a host that comes back asks whether it was adopted
	nGuards
)

var guardNames = [nGuards]string{"rowLock", "hostLock", "fence", "upToDate", "markFirst", "keepMark", "compare",
	"effectsAfter", "cause", "firstWins", "syncFirst", "clean", "spoolFirst", "ownID", "freshState", "eachIssue", "asks"}

// A kind says what a job is.
type kind int8

const (
	post    kind = iota // needs a number, goes to the members
	plain               // a post of a list without an archive: needs no number
	confirm             // spends the proof, makes somebody a member
	remove              // makes the member leave
	digest              // is made and sent once for each issue
)

// Where a process is with its job. After a death it begins again, with what its spool has.
const (
	idle    int8 = iota // not begun, or begun again
	began               // has both locks, and a copy that is up to date
	marked              // the copy says "changing"
	written             // the files are changed
	heard               // the commit has happened
	settled             // End has returned nil, or there was nothing to change
	afresh              // without clean: the copy was up to date a moment ago
	done
)

// Files are what a list consists of: in the database, and in a copy.
type files struct {
	member, removed bool
	spentBy         int8 // the job that has spent the proof, + 1
	number          [nJobs]int8
	made            [nIssues]int8 // ids of digests
}

// issue returns which issue of the digest is due; nIssues: none is.
func (f *files) issue() int {
	for i, id := range f.made {
		if id == 0 {
			return i
		}
	}
	return nIssues
}

// change makes f what it is when a job is done. It returns false if the job was done.
func (f *files) change(k kind, job, id int8, has func(guard) bool) bool {
	was := *f
	switch {
	case k == post && (f.number[job] == 0 || !has(cause)):
		f.number[job] = max(f.number[0], f.number[1]) + 1
	case k == confirm && (f.spentBy == 0 || !has(firstWins)):
		f.spentBy, f.member = job+1, true
	case k == remove && (!f.removed || !has(cause)):
		f.removed, f.member = true, false
	case k == digest && f.issue() < nIssues:
		f.made[f.issue()] = id
	}
	return *f != was
}

// A host is a host as its disk has it.
type host struct {
	up, cut  bool
	asked    bool // whether it was adopted, since it came back
	ghost    bool // it was adopted, and comes back with a copy of its disk
	changing bool // the mark of the copy
	version  int8
	lock     int8 // the job whose process has the host's lock, + 1
	copy     files
}

// A work is a job, and what its process knows.
type work struct {
	kind  kind
	host  int8
	at    int8
	read  int8  // the version that Begin has found
	id    int8  // of the digest that is being made
	spool uint8 // ids of digests that are not sent yet, as bits
	alive bool  // its session with the database has not ended
	sent  bool  // what follows from it
	late  bool  // a post that was accepted when the member had left
}

// A flight is a commit under way, whose sender has given up.
type flight struct {
	by, read int8 // the job, + 1; 0: none
	files    files
}

type fault int

const (
	deaths fault = iota
	cuts
	losses
	stops
	nFaults
)

// A wrong is what must not happen.
type wrong int8

const (
	postTwice wrong = iota + 1
	gotPost
	notItsNumber
	confirmedTwice
	neverCommitted
	digestTwice
)

var wrongs = [...]string{"", "a post went out twice", "who had left got a post", "a post went out with a number that is not its own",
	"a confirmation worked twice", "a post went by what was never committed", "a digest went out twice"}

// A state is comparable, so that it is looked at once. All of it is bytes, which makes that fast.
type state struct {
	host    [nHosts]host
	work    [nJobs]work
	lock    int8 // the job whose session has the row, + 1
	flight  flight
	version int8
	past    [8]files      // what was committed, by version
	issueOf [maxIDs]int8  // of the ids of digests, + 1
	out     [nIssues]int8 // how often a digest went out
	faults  [nFaults]int8
	limit   int8 // of all faults
	wrong   wrong
}

func (s *state) truth() *files { return &s.past[s.version] }

// was reports whether the truth ever was what is says.
func (s *state) was(is func(files) bool) bool {
	for v := int8(1); v <= s.version; v++ {
		if is(s.past[v]) {
			return true
		}
	}
	return false
}

func (s *state) commit(job, read int8, f files) {
	s.version = read + 1
	s.past[s.version] = f
	if s.lock == job+1 {
		s.lock = 0
	}
}

// refresh brings a copy up to date.
func (s *state) refresh(h *host, has func(guard) bool) {
	switch {
	case h.changing && has(compare), h.version != s.version:
		h.copy = *s.truth()
	}
	h.changing, h.version = false, s.version
}

// An edge is what can happen next.
type edge struct {
	what string
	who  int8 // a host or a job
	to   state
}

// edges returns all that can happen next. progress is false if only faults can.
func (s *state) edges(off guard, into []edge) (all []edge, progress bool) {
	all = into[:0]
	has := func(g guard) bool { return g != off }
	add := func(what string, who int8, do func(*state)) {
		t := *s
		if do(&t); t != *s {
			all, progress = append(all, edge{what, who, t}), true
		}
	}
	fail := func(f fault, what string, who int8, do func(*state)) {
		total := int8(0)
		for _, n := range s.faults {
			total += n
		}
		if total < s.limit {
			t := *s
			t.faults[f]++
			do(&t)
			all = append(all, edge{what, who, t})
		}
	}
	for i := range s.host {
		s.around(int8(i), has, add, fail)
	}
	for j := range s.work {
		if h := &s.host[s.work[j].host]; h.up && !h.ghost {
			s.process(int8(j), has, add, fail)
		}
	}
	s.lands(add)
	return all, progress
}
