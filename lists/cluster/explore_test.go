package cluster_test

import (
	"fmt"
	"strings"
	"testing"
)

// rest checks a state in which nothing is left to do.
func (s *state) rest() string {
	f := s.truth()
	for _, h := range s.host {
		if !h.ghost && (h.changing || h.copy != *f) {
			return "the copies differ from the truth"
		}
	}
	for j, w := range s.work {
		switch {
		case w.at != done:
			return fmt.Sprintf("job %d cannot go on", j)
		case (w.kind == post || w.kind == plain) && !w.sent, w.kind == post && f.number[j] == 0:
			return "a post was lost"
		case w.kind == post && f.number[0] == f.number[1]:
			return "two posts have one number"
		case w.kind == remove && f.member && s.work[1-j].kind != confirm:
			return "who has left is a member"
		case w.kind == confirm && f.spentBy == 0:
			return "a confirmation was lost"
		case w.kind == digest && s.out != [nIssues]int8{1, 1}:
			return "a digest did not go out"
		}
	}
	return ""
}

// check checks any state.
func (s *state) check() string {
	for _, h := range s.host {
		if !h.ghost && h.lock == 0 && !h.changing && h.copy != s.past[h.version] {
			return "a copy is not what the truth was at its version"
		}
	}
	for v := int8(2); v <= s.version; v++ {
		for j, n := range s.past[v-1].number {
			if n != 0 && s.past[v].number[j] != n {
				return "a number has changed"
			}
		}
	}
	return wrongs[s.wrong]
}

// A scene is what is done, and on which hosts.
type scene struct {
	kinds [nJobs]kind
	hosts [nJobs]int8
}

// explore looks at all states, and returns the shortest way to one that is wrong.
func explore(sc scene, limit int8, off guard) (states int, way []string, wrong string) {
	first := state{version: 1, limit: limit}
	first.past[1].member = sc.kinds[0] != confirm && sc.kinds[1] != confirm
	for i := range first.host {
		first.host[i] = host{up: true, asked: true, version: 1, copy: first.past[1]}
	}
	for j := range first.work {
		first.work[j] = work{kind: sc.kinds[j], host: sc.hosts[j]}
	}
	type step struct {
		from int
		what string
		who  int8
	}
	list, steps := []state{first}, []step{{from: -1}}
	seen := map[state]struct{}{first: {}}
	var edges []edge
	for i := 0; i < len(list); i++ {
		s := list[i]
		var progress bool
		edges, progress = s.edges(off, edges)
		wrong := s.check()
		if wrong == "" && !progress {
			wrong = s.rest()
		}
		if wrong != "" {
			for at := i; at > 0; at = steps[at].from {
				way = append([]string{fmt.Sprintf("%s (%d)", steps[at].what, steps[at].who)}, way...)
			}
			return len(list), way, wrong
		}
		for _, e := range edges {
			if _, known := seen[e.to]; !known {
				seen[e.to] = struct{}{}
				list, steps = append(list, e.to), append(steps, step{i, e.what, e.who})
			}
		}
	}
	return len(list), nil, ""
}

// scenes are looked at whole, with so many faults.
var scenes = []struct {
	scene
	faults int8
}{
	{scene{[nJobs]kind{post, post}, [nJobs]int8{0, 1}}, 2},
	{scene{[nJobs]kind{confirm, confirm}, [nJobs]int8{0, 1}}, 2},
	{scene{[nJobs]kind{remove, post}, [nJobs]int8{0, 1}}, 2},
	{scene{[nJobs]kind{remove, plain}, [nJobs]int8{0, 1}}, 2},
	{scene{[nJobs]kind{remove, confirm}, [nJobs]int8{0, 1}}, 2},
	{scene{[nJobs]kind{digest, digest}, [nJobs]int8{0, 1}}, 2},
	{scene{[nJobs]kind{confirm, post}, [nJobs]int8{0, 1}}, 2},
	{scene{[nJobs]kind{remove, post}, [nJobs]int8{0, 0}}, 2},
	{scene{[nJobs]kind{confirm, post}, [nJobs]int8{0, 0}}, 2},
	{scene{[nJobs]kind{digest, digest}, [nJobs]int8{0, 0}}, 1},
}

// TestModel: whatever happens in which order, nothing is wrong. It looks at 650,000
// states; with three faults there are eight million, and nothing is wrong with those either.
func TestModel(t *testing.T) {
	for _, sc := range scenes {
		states, way, wrong := explore(sc.scene, sc.faults, nGuards)
		t.Logf("%v: %d states", sc, states)
		if wrong != "" {
			t.Errorf("%v: %s:\n%s", sc, wrong, strings.Join(way, "\n"))
		}
	}
}

// TestEachGuard: without any one of the rules something goes wrong.
func TestEachGuard(t *testing.T) {
	for off := range nGuards {
		found := ""
		for faults := int8(0); faults <= 2 && found == ""; faults++ {
			for _, sc := range scenes {
				if states, way, wrong := explore(sc.scene, faults, off); wrong != "" {
					found = fmt.Sprintf("%v, %d states: %s\n\t%s", sc.scene, states, wrong, strings.Join(way, "\n\t"))
					break
				}
			}
		}
		if found == "" {
			t.Errorf("nothing goes wrong without %s", guardNames[off])
		}
		t.Logf("without %s: %s", guardNames[off], found)
	}
}
