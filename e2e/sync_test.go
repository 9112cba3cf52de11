package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"superlist/e2e/unpack"
)

// TestSyncRecipes: what docs/members.md says about members from LDAP, SQL and other lists
// does that, with the real programs.
func TestSyncRecipes(t *testing.T) {
	bin, err := programs()
	must(t, err)
	path := bin
	root := map[string]string{}
	for _, name := range []string{"slapd", "ldap-utils", "sqlite3"} {
		dir, _, err := unpack.Debian(name)
		if err != nil {
			if os.Geteuid() == 0 {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		root[name] = dir
		path += ":" + dir + "/usr/bin:" + dir + "/usr/sbin"
	}
	dir := t.TempDir()
	env := append(os.Environ(), "PATH="+path+":"+os.Getenv("PATH"), "SUPERLIST_CONFIG="+dir+"/superlist.toml", "DB="+dir+"/people.db",
		"LD_LIBRARY_PATH="+root["slapd"]+"/usr/lib/x86_64-linux-gnu:"+root["ldap-utils"]+"/usr/lib/x86_64-linux-gnu:"+root["sqlite3"]+"/usr/lib/x86_64-linux-gnu")
	must(t, os.WriteFile(dir+"/superlist.toml", []byte("hostname = \"lists.example.org\"\nqueue_dir = \""+dir+"/spool\"\nlists_dir = \""+dir+"/lists\"\nuser = \"\"\nkick = \"\"\nlog = \"none\"\n"), 0o600))
	sh := func(text string, more ...string) string {
		t.Helper()
		cmd := exec.Command("sh", "-c", text)
		cmd.Env = append(env, more...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s\n%s", err, text, out)
		}
		return string(out)
	}
	want := func(members ...string) {
		t.Helper()
		text, err := os.ReadFile(dir + "/lists/lists.example.org/staff/members")
		must(t, err)
		if got := strings.TrimSpace(string(text)); got != strings.Join(members, "\n") {
			t.Errorf("the members are\n%s\nwant\n%s", got, strings.Join(members, "\n"))
		}
	}
	for _, name := range []string{"staff", "dev", "ops"} {
		sh("superlist list create " + name + "@lists.example.org --owner olga@example.org")
	}
	sh("superlist member add staff@lists.example.org carol@example.org --nomail && superlist member add staff@lists.example.org gone@example.org")

	// slapd on a socket, with its data in a directory.
	must(t, os.Mkdir(dir+"/ldap", 0o700))
	schema := root["slapd"] + "/etc/ldap/schema/"
	must(t, os.WriteFile(dir+"/slapd.conf", []byte("include "+schema+"core.schema\ninclude "+schema+"cosine.schema\ninclude "+schema+"inetorgperson.schema\n"+
		"modulepath "+root["slapd"]+"/usr/lib/ldap\nmoduleload back_mdb\npidfile "+dir+"/pid\ndatabase mdb\nsuffix dc=example,dc=org\ndirectory "+dir+"/ldap\naccess to * by * read\n"), 0o600))
	must(t, os.WriteFile(dir+"/people.ldif", []byte(`dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: A
mail: alice@example.org

dn: uid=long,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: long
cn: Long
sn: L
mail: somebody.with.a.name.that.is.longer.than.one.line.of.ldif@departments.example.org

dn: uid=carol,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: carol
cn: Carol
sn: C
mail: carol@example.org

dn: uid=nomail,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: nomail
cn: N
sn: N
`), 0o600))
	sh("slapadd -f " + dir + "/slapd.conf -l " + dir + "/people.ldif")
	uri := "ldapi://" + strings.ReplaceAll(dir+"/s", "/", "%2F")
	slapd := exec.Command(filepath.Join(root["slapd"], "usr/sbin/slapd"), "-d", "0", "-f", dir+"/slapd.conf", "-h", uri)
	slapd.Env = env
	must(t, slapd.Start())
	t.Cleanup(func() { slapd.Process.Kill(); slapd.Wait() })
	wait(t, "slapd", func() bool { _, err := os.Stat(dir + "/s"); return err == nil })
	sh(block(t, "sync ldap"), "LDAP="+uri)
	want("alice@example.org", "carol@example.org nomail", "somebody.with.a.name.that.is.longer.than.one.line.of.ldif@departments.example.org")

	sh(`sqlite3 "$DB" "CREATE TABLE people (email, name, active); INSERT INTO people VALUES ('alice@example.org', 'Alice', 1), ('carol@example.org', 'Carol', 1), ('zoe@example.net', 'Zoë Z', 1), ('old@example.net', 'Old', 0)"`)
	sh(block(t, "sync sql"))
	want("alice@example.org", "carol@example.org nomail", "zoe@example.net name=Zoë Z")

	sh("superlist member add dev@lists.example.org alice@example.org bob@example.net && superlist member add ops@lists.example.org carol@example.org bob@example.net zoe@example.net")
	sh(block(t, "sync lists"))
	want("alice@example.org", "bob@example.net", "carol@example.org nomail", "zoe@example.net name=Zoë Z")
}
