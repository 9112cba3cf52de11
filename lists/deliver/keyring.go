package deliver

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"superlist/lists"
	"superlist/queue"
	"superlist/smtp"
)

// How long keys of signatures may take.
const (
	// keyGrace is how long a message waits for a key on the spot: a name server that
	// is well answers sooner, and so posts stay in their order. What takes longer is
	// awaited while others are worked on.
	keyGrace = time.Second
	// maxGrace is how long all messages of a run do so.
	maxGrace = 10 * time.Second
	// maxKeys is how many keys are asked for at a time. Messages that want more of
	// them are tried again later.
	maxKeys = 20
	// keyLife is how long an answer is kept: until all messages that were waiting for
	// it have been looked at. The resolver keeps it for longer.
	keyLife = time.Minute
)

var (
	// errAwaited is a key that is being asked for.
	errAwaited = errors.New("the key is not here yet")
	// errLate is a domain whose name servers have kept us waiting.
	errLate = errors.New("its name servers did not answer in time a moment ago")
	// replyKeys is a message for which nothing could be asked.
	replyKeys = smtp.Reply{Code: 451, Enhanced: "4.4.3", Text: "too many name servers keep us waiting"}
)

// A keyring asks for the keys of signatures. A name server that does not answer holds
// up the messages that need it, and them once: what is asked of its domain for a while
// after that has no answer at all.
type keyring struct {
	resolver txtResolver
	ctx      context.Context // of the run
	grace    time.Duration   // keyGrace; tests have none
	woken    chan struct{}   // hears of keys that have come

	mu     sync.Mutex
	keys   map[string]*key      // by name
	late   map[string]time.Time // until when a domain is asked for nothing
	asking int
	waited time.Duration // on the spot
}

// A siteResolver is the resolver that a site names.
type siteResolver struct{ site *lists.Site }

func (s siteResolver) TXT(ctx context.Context, name string) ([]string, error) {
	resolver, err := (&dialer{site: s.site}).resolver()
	if err != nil {
		return nil, err
	}
	return resolver.TXT(ctx, name)
}

// A key is the records of a name, once they are here.
type key struct {
	here    chan struct{}
	at      time.Time
	records []string
	err     error
}

func newKeyring(resolver txtResolver) *keyring {
	return &keyring{
		resolver: resolver, grace: keyGrace, woken: make(chan struct{}, 1),
		keys: make(map[string]*key), late: make(map[string]time.Time),
	}
}

// TXT gives the records of a name, or errAwaited, or replyKeys.
func (k *keyring) TXT(_ context.Context, name string) ([]string, error) {
	key, grace, err := k.ask(name)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-key.here:
		err = key.err
	case <-timer.C:
		err = errAwaited
	}
	k.mu.Lock()
	k.waited += time.Since(began)
	k.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return key.records, nil
}

// ask asks for a key, where nobody has. grace is how long it may be waited for here.
func (k *keyring) ask(name string) (*key, time.Duration, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	for name, key := range k.keys {
		if !key.at.IsZero() && now.Sub(key.at) > keyLife {
			delete(k.keys, name)
		}
	}
	grace := max(0, min(k.grace, maxGrace-k.waited))
	if key := k.keys[name]; key != nil {
		return key, grace, nil
	}
	domain := organisation(name)
	if until, ok := k.late[domain]; ok && now.Before(until) {
		return nil, 0, errLate
	}
	delete(k.late, domain)
	if k.asking >= maxKeys {
		return nil, 0, replyKeys
	}
	key := &key{here: make(chan struct{})}
	k.keys[name] = key
	k.asking++
	go func() {
		records, err := k.resolver.TXT(k.ctx, name)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.asking--
		key.records, key.err, key.at = records, err, time.Now()
		if err != nil && key.at.Sub(now) > k.grace {
			k.late[domain] = key.at.Add(shutFor)
		}
		close(key.here)
		select {
		case k.woken <- struct{}{}:
		default:
		}
	}()
	return key, grace, nil
}

// busy says that keys are being asked for.
func (k *keyring) busy() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.asking > 0
}

// has says that all these keys are here, whatever they are.
func (k *keyring) has(names []string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, name := range names {
		if key := k.keys[name]; key != nil && key.at.IsZero() {
			return false
		}
	}
	return true
}

// organisation is the domain whose name servers are asked for the key of a signature.
func organisation(name string) string {
	if _, domain, ok := strings.Cut(name, "._domainkey."); ok {
		name = domain
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return domain
	}
	return name
}

// await has a message wait for the keys that would help it.
func (r *Runner) await(m *queue.Message, v *Verifier) error {
	if len(v.awaited) > 0 {
		r.awaiting[m.ID] = append(r.awaiting[m.ID], v.awaited...)
		return errAwaited
	}
	return v.failed
}
