package lists

import (
	"runtime"
	"testing"
	"time"
)

// TestReadAhead: it ends by itself and when it is stopped, and changes nothing for who
// opens the lists.
func TestReadAhead(t *testing.T) {
	s := testSite(t, "")
	testList(t, s, "a@example.com\n")
	before := runtime.NumGoroutine()
	for _, at := range []bool{false, true} {
		stop := Of(s).ReadAhead()
		if at {
			stop()
		}
		for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatalf("stopped %t: it goes on", at)
			}
		}
		stop()
		stop()
	}
}
