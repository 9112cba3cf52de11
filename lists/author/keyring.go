package author

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"superlist/smtp"
)

// How long keys of signatures may take.
const (
	// Grace is how long a message waits for a key on the spot: a name server that
	// is well answers sooner, and so posts stay in their order. What takes longer is
	// awaited while others are worked on.
	Grace = time.Second
	// maxGrace is how long all messages of a run do so.
	maxGrace = 10 * time.Second
	// maxKeys is how many keys are asked for at a time. Messages that want more of
	// them are tried again later.
	maxKeys = 20
	// keyLife is how long an answer is kept: until all messages that were waiting for
	// it have been looked at. The resolver keeps it for longer.
	keyLife = time.Minute
	// lateFor is for how long a domain is asked nothing whose name servers have kept us
	// waiting.
	lateFor = 5 * time.Minute
)

var (
	// ErrAwaited is a key that is being asked for.
	ErrAwaited = errors.New("the key is not here yet")
	// errLate is a domain whose name servers have kept us waiting.
	errLate = errors.New("its name servers did not answer in time a moment ago")
	// replyKeys says that nothing more can be asked for now.
	replyKeys = smtp.Reply{Code: 451, Enhanced: "4.4.3", Text: "too many name servers keep us waiting"}
)

// A Keyring asks for the keys of signatures. A name server that does not answer holds
// up the messages that need it, and them once: what is asked of its domain for a while
// after that has no answer at all.
type Keyring struct {
	resolver Resolver
	ctx      context.Context // of the run
	grace    time.Duration
	woken    chan struct{} // hears of keys that have come

	mu     sync.Mutex
	keys   map[string]*key      // by name
	late   map[string]time.Time // until when a domain is asked for nothing
	asking int
	waited time.Duration // on the spot
}

// A key is the records of a name, once they are here.
type key struct {
	here    chan struct{}
	at      time.Time
	records []string
	err     error
}

// NewKeyring gives a keyring that lets messages wait on the spot for so long: Grace,
// or in tests not at all.
func NewKeyring(resolver Resolver, grace time.Duration) *Keyring {
	return &Keyring{
		resolver: resolver, grace: grace, ctx: context.Background(), woken: make(chan struct{}, 1),
		keys: make(map[string]*key), late: make(map[string]time.Time),
	}
}

// Within has what is asked for from now on be given up when ctx ends.
func (k *Keyring) Within(ctx context.Context) { k.ctx = ctx }

// Woken hears of keys that have come.
func (k *Keyring) Woken() <-chan struct{} { return k.woken }

// TXT gives the records of a name, or ErrAwaited, or replyKeys.
func (k *Keyring) TXT(_ context.Context, name string) ([]string, error) {
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
		err = ErrAwaited
	}
	k.mu.Lock()
	k.waited += time.Since(began)
	k.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return key.records, nil
}

// existing is what a name begins with in a Keyring that is only asked whether it is
// there.
const existing = "exists:"

// Exists reports whether there is a name, whatever it has.
func (k *Keyring) Exists(ctx context.Context, name string) (bool, error) {
	there, err := k.TXT(ctx, existing+name)
	return len(there) > 0, err
}

// lookUp is what a question comes to.
func (k *Keyring) lookUp(name string) (records []string, err error) {
	bare, asked := strings.CutPrefix(name, existing)
	if !asked {
		return k.resolver.TXT(k.ctx, name)
	}
	there := true
	if e, ok := k.resolver.(existence); ok {
		there, err = e.Exists(k.ctx, bare)
	}
	if there {
		records = []string{bare}
	}
	return records, err
}

// ask asks for a key, where nobody has. grace is how long it may be waited for here.
func (k *Keyring) ask(name string) (*key, time.Duration, error) {
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
		records, err := k.lookUp(name)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.asking--
		key.records, key.err, key.at = records, err, time.Now()
		if err != nil && key.at.Sub(now) > k.grace {
			k.late[domain] = key.at.Add(lateFor)
		}
		close(key.here)
		select {
		case k.woken <- struct{}{}:
		default:
		}
	}()
	return key, grace, nil
}

// Busy reports whether keys are being looked up.
func (k *Keyring) Busy() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.asking > 0
}

// Has says that all these keys are here, whatever they are.
func (k *Keyring) Has(names []string) bool {
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
	name = strings.TrimPrefix(strings.TrimPrefix(name, existing), "_dmarc.")
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return domain
	}
	return name
}
