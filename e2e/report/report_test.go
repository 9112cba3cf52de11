package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string // lines, in this order, others may stand between
		not      string   // what must not be said
		last     string
		ok, ci   bool // the verdict, and the verdict as root or with CI=true
	}{
		{
			name: "all passes",
			in: `{"Action":"start","Package":"m/a"}
{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"pass","Package":"m/a","Test":"TestA","Elapsed":0}
{"Action":"output","Package":"m/a","Output":"ok  \tm/a\t1.500s\n"}
{"Action":"pass","Package":"m/a","Elapsed":1.5}`,
			want: []string{"ok    m/a                                         1.50s"},
			last: "1 passed, 0 failed, 0 skipped", ok: true, ci: true,
		},
		{
			name: "a failure shows what it said, without the framework's lines",
			in: `{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"    a_test.go:3: wrong\n"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"--- FAIL: TestA (0.00s)\n"}
{"Action":"fail","Package":"m/a","Test":"TestA"}
{"Action":"output","Package":"m/a","Output":"FAIL\n"}
{"Action":"fail","Package":"m/a","Elapsed":0.25}`,
			want: []string{
				"--- FAIL: m/a TestA",
				"    a_test.go:3: wrong",
				"FAIL  m/a                                         0.25s",
			},
			last: "0 passed, 1 failed, 0 skipped",
		},
		{
			name: "subtests count, the test that holds them does not",
			in: `{"Action":"run","Package":"m/a","Test":"TestT"}
{"Action":"run","Package":"m/a","Test":"TestT/x"}
{"Action":"run","Package":"m/a","Test":"TestT/y"}
{"Action":"pass","Package":"m/a","Test":"TestT/x"}
{"Action":"output","Package":"m/a","Test":"TestT/y","Output":"    y is wrong\n"}
{"Action":"fail","Package":"m/a","Test":"TestT/y"}
{"Action":"fail","Package":"m/a","Test":"TestT"}
{"Action":"fail","Package":"m/a"}`,
			want: []string{"--- FAIL: m/a TestT/y", "    y is wrong"},
			last: "1 passed, 1 failed, 0 skipped",
		},
		{
			name: "a test that fails by itself after its subtests passed counts",
			in: `{"Action":"run","Package":"m/a","Test":"TestT"}
{"Action":"run","Package":"m/a","Test":"TestT/x"}
{"Action":"pass","Package":"m/a","Test":"TestT/x"}
{"Action":"fail","Package":"m/a","Test":"TestT"}
{"Action":"fail","Package":"m/a"}`,
			want: []string{"--- FAIL: m/a TestT"},
			last: "1 passed, 1 failed, 0 skipped",
		},
		{
			name: "a skip gives its reason at the end and fails CI",
			in: `{"Action":"run","Package":"m/a","Test":"TestS"}
{"Action":"output","Package":"m/a","Test":"TestS","Output":"=== RUN   TestS\n"}
{"Action":"output","Package":"m/a","Test":"TestS","Output":"    a_test.go:9: no postfix here:\n"}
{"Action":"output","Package":"m/a","Test":"TestS","Output":"        not root\n"}
{"Action":"output","Package":"m/a","Test":"TestS","Output":"--- SKIP: TestS (0.00s)\n"}
{"Action":"skip","Package":"m/a","Test":"TestS"}
{"Action":"pass","Package":"m/a","Elapsed":0.01}
{"Action":"run","Package":"m/b","Test":"TestQ"}
{"Action":"skip","Package":"m/b","Test":"TestQ"}
{"Action":"pass","Package":"m/b","Elapsed":0.01}`,
			want: []string{
				"ok    m/b                                         0.01s",
				"skipped: m/a TestS: no postfix here: not root",
				"skipped: m/b TestQ: no reason given",
			},
			last: "0 passed, 0 failed, 2 skipped", ok: true,
		},
		{
			name: "a package that does not build",
			in: `{"ImportPath":"m/a [m/a.test]","Action":"build-output","Output":"# m/a [m/a.test]\n"}
{"ImportPath":"m/a [m/a.test]","Action":"build-output","Output":"a.go:1:35: too many return values\n"}
{"ImportPath":"m/a [m/a.test]","Action":"build-fail"}
{"Action":"start","Package":"m/a"}
{"Action":"output","Package":"m/a","Output":"FAIL\tm/a [build failed]\n"}
{"Action":"fail","Package":"m/a","Elapsed":0,"FailedBuild":"m/a [m/a.test]"}`,
			want: []string{"a.go:1:35: too many return values", "FAIL  m/a                                      does not build"},
			last: "0 passed, 1 failed, 0 skipped",
		},
		{
			name: "a panic ends the tests that were running",
			in: `{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"run","Package":"m/a","Test":"TestB"}
{"Action":"output","Package":"m/a","Test":"TestB","Output":"panic: oh\n"}
{"Action":"fail","Package":"m/a","Test":"TestB"}
{"Action":"output","Package":"m/a","Output":"FAIL\tm/a\t0.006s\n"}
{"Action":"fail","Package":"m/a","Elapsed":0.006}`,
			want: []string{"--- FAIL: m/a TestA", "    (it did not finish)", "--- FAIL: m/a TestB", "panic: oh"},
			last: "0 passed, 2 failed, 0 skipped",
		},
		{
			name: "a binary that fails after its tests passed",
			in: `{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"pass","Package":"m/a","Test":"TestA"}
{"Action":"output","Package":"m/a","Output":"PASS\n"}
{"Action":"output","Package":"m/a","Output":"the server still runs\n"}
{"Action":"output","Package":"m/a","Output":"FAIL\tm/a\t0.002s\n"}
{"Action":"fail","Package":"m/a","Elapsed":0.002}`,
			want: []string{"--- FAIL: m/a (outside its tests)", "the server still runs"},
			last: "1 passed, 1 failed, 0 skipped",
		},
		{
			name: "a package with no tests is no skipped test",
			in: `{"Action":"start","Package":"m/a"}
{"Action":"output","Package":"m/a","Output":"?   \tm/a\t[no test files]\n"}
{"Action":"skip","Package":"m/a","Elapsed":0}`,
			want: []string{"-     m/a                                      no tests"},
			last: "0 passed, 0 failed, 0 skipped", ok: true, ci: true,
		},
		{
			name: "a result from the cache",
			in: `{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"pass","Package":"m/a","Test":"TestA"}
{"Action":"output","Package":"m/a","Output":"ok  \tm/a\t(cached)\n"}
{"Action":"pass","Package":"m/a","Elapsed":0}`,
			want: []string{"ok    m/a                                        cached"},
			last: "1 passed, 0 failed, 0 skipped", ok: true, ci: true,
		},
		{
			name: "time that runs out, and tests whose turn had not come",
			in: `{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"run","Package":"m/a","Test":"TestB"}
{"Action":"output","Package":"m/a","Test":"TestB","Output":"=== RUN   TestB\n"}
{"Action":"output","Package":"m/a","Test":"TestB","Output":"=== PAUSE TestB\n"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"    a_test.go:3: on its way\n"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"panic: test timed out after 15m0s\n"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"running tests:\n"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"goroutine 21 [running]:\n"}
{"Action":"output","Package":"m/a","Output":"FAIL\tm/a\t900.0s\n"}
{"Action":"fail","Package":"m/a","Elapsed":900}`,
			want: []string{
				"--- FAIL: m/a TestA", "    (it did not finish)", "    a_test.go:3: on its way", "    ran out of time, after 15m0s",
				"--- FAIL: m/a TestB", "    (its turn did not come)",
			},
			not:  "goroutine",
			last: "0 passed, 2 failed, 0 skipped",
		},
		{
			name: "events that stop in the middle",
			in: `{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"pass","Package":"m/a","Test":"TestA"}`,
			want: []string{"--- FAIL: m/a (outside its tests)", "the events end before the package does"},
			last: "1 passed, 1 failed, 0 skipped",
		},
		{
			name: "no events at all",
			in:   "go: cannot find main module\n",
			want: []string{"go: cannot find main module", "no package reported anything"},
			last: "0 passed, 1 failed, 0 skipped",
		},
		{
			name: "the same test twice",
			in: `{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"fail","Package":"m/a","Test":"TestA"}
{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"pass","Package":"m/a","Test":"TestA"}
{"Action":"fail","Package":"m/a"}`,
			want: []string{"--- FAIL: m/a TestA"},
			last: "1 passed, 1 failed, 0 skipped",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, ci := range []bool{false, true} {
				var out strings.Builder
				r := newReport(&out)
				r.read(strings.NewReader(c.in))
				want := c.ok
				if ci {
					want = c.ci
				}
				if got := r.close(ci); got != want {
					t.Errorf("CI=%v: ok = %v, want %v", ci, got, want)
				}
				lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
				if got := lines[len(lines)-1]; got != c.last {
					t.Errorf("CI=%v: the last line is %q, want %q", ci, got, c.last)
				}
				if c.not != "" && strings.Contains(out.String(), c.not) {
					t.Errorf("it says %q in\n%s", c.not, out.String())
				}
				if missing := inOrder(lines, c.want); missing != "" {
					t.Errorf("CI=%v: no line %q in its place in\n%s", ci, missing, out.String())
				}
			}
		})
	}
}

// inOrder returns the first of want that does not follow the ones before it.
func inOrder(lines, want []string) string {
	for _, l := range lines {
		if len(want) > 0 && l == want[0] {
			want = want[1:]
		}
	}
	if len(want) > 0 {
		return want[0]
	}
	return ""
}
