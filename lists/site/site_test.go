package site

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"superlist/lists/config"
	"superlist/lists/config/configtest"
	"superlist/lists/settings"
)

func TestConfigFile(t *testing.T) {
	t.Setenv("SUPERLIST_CONFIG", "")
	if got := ConfigFile(""); got != DefaultConfig {
		t.Errorf("nobody says: %s", got)
	}
	t.Setenv("SUPERLIST_CONFIG", "/env.toml")
	if got := ConfigFile(""); got != "/env.toml" {
		t.Errorf("the environment says: %s", got)
	}
	if got := ConfigFile("/flag.toml"); got != "/flag.toml" {
		t.Errorf("the flag says: %s", got)
	}
}

// TestConfigErrors loads every kind of mistake, and wants the file, the line,
// the key and what would be right.
func TestConfigErrors(t *testing.T) {
	const head = "hostname = \"h.example\"\n"
	for _, test := range []struct{ text, want string }{
		{"hostnam = \"h\"\n", "1: hostnam: no such key; did you mean hostname?"},
		{head + "# more\nqueue_max = 3\n", "3: queue_max: no such key; "},
		{head + "[relay]\nadress = \"a:1\"\n", "3: relay.adress: no such key; did you mean address?"},
		{head + "[relay] # the way out\nvrep = \"self\"\n", "3: relay.vrep: no such key; did you mean verp?"},
		{head + "[relay]\nxyzzy = 1\n", "3: relay.xyzzy: no such key; known here: address, verp, batch"},
		{head + "[relais]\naddress = \"a:1\"\n", "2: relais: no such key; did you mean relay?"},
		{head + "queue_max_msg = \"many\"\n", "2: queue_max_msg: must be a whole number, without quotes"},
		{head + "log = 3\n", `2: log: must be a string in quotes: "…"`},
		{head + "max_message_size = 2048\nlog = 3\n", `3: log: must be a string in quotes: "…"`},
		{head + "max_message_size = [2048]\n", `2: max_message_size: must be a string in quotes: "…"`},
		{head + "log = 2026-11-21\n", `2: log: must be a string in quotes: "…"`},
		{head + "read_timeout = 300\n", `2: read_timeout: "300" is no time span; write "30s", "5m", "4h" or "5d"`},
		{head + "max_message_size = \"25MB\"\n", `2: max_message_size: "25MB" is not a size; write bytes, or "512KiB", "25MiB", "1GiB"`},
		{head + "user = superlist\n", "2: user: "},
		{head + "user = \"a\"\nuser = \"b\"\n", "3: user: "},
		{head + "relay = 3\n", "2: relay: must be a table: [relay]"},
		{head + "[relay]\nbatch = \"x\"\n", "3: relay.batch: must be a whole number"},
		{head + "[relay]\nbatch = 1.5\n", "3: relay.batch: must be a whole number"},
		{head + "\x00", "2: TOML files cannot"},

		{"hostname = \"not a host\"\n", `1: hostname: "not a host" is not a host name`},
		{head + "queue_dir = \"spool\"\n", "2: queue_dir: must begin with /"},
		{head + "lists_dir = \"\"\n", "2: lists_dir: must begin with /"},
		{head + "max_message_size = 1023\n", "2: max_message_size: must be at least 1KiB"},
		{head + "queue_max_msg = -1\n", "2: queue_max_msg: must not be negative; 0 means no limit"},
		{head + "queue_max_msg = 10\nqueue_min_msg = 11\n", "3: queue_min_msg: must be from 1 to queue_max_msg, which is 10"},
		{head + "queue_max_msg = 10\n", "2: queue_max_msg: needs queue_min_msg too, from 1 to 10: it is 17000 unless you set it"},
		{head + "authserv_id = \"mx; dkim=pass\"\n", "2: authserv_id: must be one word"},
		{head + "[[milter]]\naddress = \"unix:/a\"\n[[milter]]\naddress = \"b\"\n", "5: milter.address: must be ip:port or unix:/path"},
		{head + "[[milter]]\naddress = \"unix:/a\"\n[[milter]]\nadress = \"b\"\n", "5: milter.adress: no such key; did you mean address?"},
		{head + "[[milter]]\naddress = \"unix:/a\"\n[[milter]]\n", "4: milter.address: must be ip:port or unix:/path"},
		{head + "recipient_delimiter = \"+-\"\n", "2: recipient_delimiter: must be one of + - = _ ."},
		{head + "recipient_delimiter = \"\"\n", "2: recipient_delimiter: must be one of + - = _ ."},
		{head + "recipient_delimiter = \"/\"\n", "2: recipient_delimiter: must be one of + - = _ ."},
		{head + "retry_min = \"5h\"\n", "2: retry_min: must not be longer than retry_max"},
		{head + "log = \"file\"\n", "2: log: must be syslog, journal, stderr, none, or a file name that begins with /"},
		{head + "log_level = \"warn\"\n", "2: log_level: must be debug, info, warning or err"},
		{head + "[relay]\nverp = \"yes\"\n", "3: relay.verp: must be auto, xverp or self"},
		{head + "[relay]\nbatch = 0\n", "3: relay.batch: must be from 1 to 1000"},
		{head + "[relay]\nbatch = 1001\n", "3: relay.batch: must be from 1 to 1000"},
		{head + "[ relay ]\naddress = \"mail\"\n", "3: relay.address: must be host:port, unix:/path"},
		{head + "[proxy]\nnext_hop = \"mx:10028\"\n", `3: proxy.next_hop: must be ip:port, unix:/path, or ""`},
		{head + "kick = \"[::1]:1\"\n[proxy]\nnext_hop = \"[::1]:1\"\n", "4: proxy.next_hop: must not be the address of kick"},
		{head + "binarymime = true\n[proxy]\nnext_hop = \"127.0.0.1:10028\"\n", "2: binarymime: must be false with proxy.next_hop"},
		{head + "binarymime = \"yes\"\n", "2: binarymime: must be true or false"},
		{head + "[proxy]\nannounce = \"all\"\n", "3: proxy.announce: must be own or both"},
		{head + "[proxy]\ntimeout = \"0s\"\n", `3: proxy.timeout: "0s" is no time span`},
		{head + "[relay]\nconnections = 0\n", "3: relay.connections: must be from 1 to 100"},
		{head + "[relay]\nconnections = 101\n", "3: relay.connections: must be from 1 to 100"},
		{head + "[relay]\nsource = \"localhost\"\n", "3: relay.source: must be an IP address of this host"},
		{head + "[relay]\naddress = \"unix:/run/x\"\nsource = \"127.0.0.1\"\n", "4: relay.source: makes sense only"},
		{head + "[relay]\ntls = \"yes\"\n", "3: relay.tls: must be none, may, encrypt, verify or dane"},
		{head + "[relay]\naddress = \"unix:/run/x\"\ntls = \"verify\"\n", "4: relay.tls: must be none, may or encrypt where"},
		{head + "[relay]\naddress = \"mx\"\ntls = \"dane\"\n", "4: relay.tls: dane needs resolver"},
		{head + "[relay]\naddress = \"[::1]:25\"\ntls = \"dane\"\nresolver = \"127.0.0.1:53\"\n", "4: relay.tls: dane needs a host name"},
		{head + "[relay]\nresolver = \"localhost\"\n", "3: relay.resolver: must be ip:port"},
		{head + "[relay]\nca_file = \"ca.crt\"\n", "3: relay.ca_file: must be a file name"},
		{head + "[relay]\naddress = \"mx\"\nverp = \"xverp\"\n", "4: relay.verp: must be auto or self with address"},
		{head + "[relay]\nuser = \"me\"\n", "3: relay.user: needs password_file"},
		{head + "[relay]\npassword_file = \"/x\"\n", "3: relay.password_file: needs user"},
		{head + "[relay]\nuser = \"me\"\npassword_file = \"/x\"\n", "3: relay.user: needs tls"},
		{head + "[relay]\naddress = \"mx\"\ntls = \"encrypt\"\nuser = \"me\"\npassword_file = \"/x\"\n", "5: relay.user: makes no sense"},
		{head + "[relay]\ntls = \"encrypt\"\nuser = \"me\"\npassword_file = \"x\"\n", "5: relay.password_file: must be a file name"},
		{head + "[relay]\nfinal_timeout = \"0\"\n", "3: relay.final_timeout: \"0\" is no time span"},
		{head + "tls = true\n[auth]\npasswd_file = \"users\"\n", "4: auth.passwd_file: must be a file name that begins with /"},
		{head + "tls = true\n[auth]\ndovecot = \"inet:1\"\n", "4: auth.dovecot: must be the name of a socket, and begin with /"},
		{head + "tls = true\n[auth]\npasswd_file = \"/u\"\ndovecot = \"/d\"\n", "5: auth.dovecot: is one way, passwd_file is another; leave one of them out"},
		{head + "[auth]\npasswd_file = \"/u\"\n", "3: auth.passwd_file: nobody could log in without TLS; set tls = true, or insecure = true"},
		{head + "[auth]\ndovecot = \"/d\"\n", "3: auth.dovecot: nobody could log in without TLS; set tls = true, or insecure = true"},
		{head + "[auth]\nrequired = true\n", "3: auth.required: needs passwd_file or dovecot: nobody could log in"},
		{head + "[auth]\nmechanisms = []\n", "3: auth.mechanisms: must name at least one; known are SCRAM-SHA-256, PLAIN, LOGIN, CRAM-MD5"},
		{head + "[auth]\nmechanisms = [\"plain\"]\n", "3: auth.mechanisms: \"plain\" is not a mechanism; did you mean PLAIN?"},
		{head + "[auth]\nmechanisms = [\"SCRAM-SHA-1\"]\n", "3: auth.mechanisms: \"SCRAM-SHA-1\" is not a mechanism; did you mean SCRAM-SHA-256?"},
		{head + "[auth]\nmechanisms = [\"GSSAPI\"]\n", "3: auth.mechanisms: \"GSSAPI\" is not a mechanism; known are SCRAM-SHA-256, PLAIN, LOGIN, CRAM-MD5"},
		{head + "[auth]\nmechanisms = [\"PLAIN\", \"PLAIN\"]\n", "3: auth.mechanisms: PLAIN stands there twice"},
		{head + "tls = true\n[auth]\ndovecot = \"/d\"\nmechanisms = [\"A B\"]\n", "5: auth.mechanisms: \"A B\" is not a mechanism"},
		{head + "[auth]\ninsecur = true\n", "3: auth.insecur: no such key; did you mean insecure?"},
		{head + "[auth]\nmechanisms = \"PLAIN\"\n", "3: auth.mechanisms: must be a list of strings"},
		{head + "[cluster]\ndatabase = \"db.example.org\"\n", "3: cluster.database: must be an address like"},
		{head + "[cluster]\ndatabase = \"postgres://a b@db/x\"\n", "3: cluster.database: must be an address like"},
		{head + "[cluster]\ndatabase = \"postgres://me:secret@db/x\"\n", "3: cluster.database: must have no password"},
		{head + "[cluster]\ndatabase = \"postgresql://me@db/x?a=b&password=secret\"\n", "3: cluster.database: must have no password"},
		{head + "[cluster]\ndatabase = \"postgres://me@db/x\"\npassword_file = \"x\"\n", "4: cluster.password_file: must be a file name"},
		{head + "[cluster]\npassword_file = \"/x\"\n", "3: cluster.password_file: needs database"},
		{head + "[cluster]\nhost = \"mx1\"\n", "3: cluster.host: needs database"},
		{head + "[cluster]\ndatabase = \"postgres://me@db/x\"\nhost = \"-mx 1\"\n", "4: cluster.host: must be a plain word"},
		{head + "kick = \"localhost:1\"\n", `2: kick: must be ip:port, unix:/path, or ""`},
	} {
		file := filepath.Join(t.TempDir(), "superlist.toml")
		os.WriteFile(file, []byte(test.text), 0o600)
		_, err := Load(file)
		var config *config.Error
		if !errors.As(err, &config) {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), file+":") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q:\n got %s\nwant %s", test.text, err, test.want)
		}
		if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), " toml:") {
			t.Errorf("%q: %s", test.text, err)
		}
	}
}

func TestConfigTooLarge(t *testing.T) {
	file := filepath.Join(t.TempDir(), "superlist.toml")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	f.Truncate(config.MaxSize + 1)
	f.Close()
	var config *config.Error
	if _, err := Load(file); !errors.As(err, &config) {
		t.Errorf("%v", err)
	}
	if _, err := Load(filepath.Dir(file)); err == nil {
		t.Error("a directory is taken for a configuration")
	}
}

// TestAuthOffered: there is AUTH exactly where there is somebody to ask.
func TestAuthOffered(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"[auth]\n":                           "",
		"[auth]\nmechanisms = [\"PLAIN\"]\n": "",
		"tls = true\n[auth]\npasswd_file = \"/u\"\n":                                           "SCRAM-SHA-256 PLAIN LOGIN CRAM-MD5",
		"[auth]\ninsecure = true\npasswd_file = \"/u\"\nmechanisms = [\"LOGIN\", \"PLAIN\"]\n": "LOGIN PLAIN",
		"tls = true\n[auth]\ndovecot = \"/d\"\nmechanisms = [\"XOAUTH2\", \"PLAIN\"]\n":        "XOAUTH2 PLAIN",
	} {
		file := filepath.Join(t.TempDir(), "superlist.toml")
		os.WriteFile(file, []byte("hostname = \"h.example\"\n"+text), 0o600)
		s, err := Load(file)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := strings.Join(s.Auth.Offered(), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestDefaults holds what an empty file means.
func TestDefaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "superlist.toml")
	os.WriteFile(file, []byte("hostname = \"h.example\"\n"), 0o600)
	s, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if s.File() != file || s.RecipientDelimiter != "+" || s.User != "superlist" || s.MaxMessageSize != 25<<20 ||
		time.Duration(s.ReadTimeout) != 5*time.Minute || time.Duration(s.GiveUp) != 5*24*time.Hour ||
		s.Relay.Verp != "auto" || s.Relay.Batch != MaxBatch || s.Relay.Address != "127.0.0.1:10026" ||
		s.Proxy != (Proxy{Timeout: config.Duration(90 * time.Second), Announce: "own"}) {
		t.Errorf("%+v", s)
	}
	spool := s.Spool()
	if spool.Dir != "/var/spool/superlist" || spool.MaxMessages != 20000 || spool.MinMessages != 17000 || spool.Backoff.Min != 5*time.Minute {
		t.Errorf("%+v", spool)
	}
}

// TestShippedConfig: the superlist.toml that is installed has every key there is,
// with the value that holds without it, behind a #.
func TestShippedConfig(t *testing.T) {
	load := func(text string) *Site {
		t.Helper()
		file := filepath.Join(t.TempDir(), "superlist.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		s.file, s.text = "", ""
		return s
	}
	text := regexp.MustCompile(`(?m)^#(\w+ *=)`).ReplaceAllString(settings.Site, "$1")
	full := load(text)
	configtest.Explained(t, settings.Site, new(Site))
	bare := load("hostname = \"" + full.Hostname + "\"\n")
	if !reflect.DeepEqual(full, bare) {
		t.Errorf("it says\n%+v\nand without it holds\n%+v", *full, *bare)
	}
	if shipped := load(settings.Site); !reflect.DeepEqual(shipped, bare) {
		t.Errorf("as it is, it says\n%+v\nand without it holds\n%+v", *shipped, *bare)
	}
	_, filter, _ := strings.Cut(settings.Site, "\n# [[milter]]\n")
	filter = "hostname = \"h.example\"\n[[milter]]\n" + strings.ReplaceAll(filter, "# ", "")
	address := regexp.MustCompile(`(?m)^address.*\n`).FindString(filter)
	if all, alone := load(filter), load("hostname = \"h.example\"\n[[milter]]\n"+address); !reflect.DeepEqual(all, alone) {
		t.Errorf("its filter is\n%+v\nand with no more than an address\n%+v", all.Milters, alone.Milters)
	}
}
