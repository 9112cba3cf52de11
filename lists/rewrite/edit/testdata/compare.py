# Compares messages before and after something was put in, as Python's email sees them.
# Standard input has a line of JSON for each; a line of output for each fault.
import base64, email, email.policy, json, re, sys, html

def leaves(m):
    return [p for p in m.walk() if not p.is_multipart()]

def defects(m):
    return sorted(type(d).__name__ for p in m.walk() for d in p.defects)

def text(p, raw):
    label = p.get_content_charset() or 'ascii'
    try:
        return raw.decode(label, 'replace')
    except LookupError:
        return raw.decode('latin-1')

def squeeze(s):
    return re.sub(r'\s+', ' ', s).strip()

def compare(t):
    before, after = (base64.b64decode(t[k]) for k in ('before', 'after'))
    if t['outcome'] == 'nowhere':
        if before != after:
            yield 'changed though nothing was put in'
        return
    a, b = email.message_from_bytes(before), email.message_from_bytes(after)
    new = defects(b)
    for d in defects(a):
        if d in new:
            new.remove(d)
    if new:
        yield 'new defects: %s' % new
    for name in set(k.lower() for k in b.keys()):
        if name not in ('received',) and len(b.get_all(name)) > max(1, len(a.get_all(name) or [])):
            yield 'two fields %s' % name
    if t['outcome'] == 'defects':
        return
    x, y = leaves(a), leaves(b)
    if t['outcome'] == 'in a part of its own':
        own = y.pop(0 if t['first'] else -1)
        got = text(own, own.get_payload(decode=True))
        if own.get_content_type() != 'text/plain' or squeeze(got) != squeeze(t['text']):
            yield 'the part of its own has %r' % got
    if len(x) != len(y):
        yield 'had %d parts, has %d' % (len(x), len(y))
        return
    changed = 0
    for p, q in zip(x, y):
        u, v = p.get_payload(decode=True) or b'', q.get_payload(decode=True) or b''
        if u == v:
            continue
        changed += 1
        u, v = text(p, u).lstrip('\ufeff'), text(q, v).lstrip('\ufeff')
        if p.get_content_type() != q.get_content_type():
            yield 'became %s' % q.get_content_type()
        if p.get_content_type() == 'text/html':
            said = html.unescape(re.sub(r'<[^>]*>', '', re.sub(r'<br>\s*', '\n', v)))
            if squeeze(t['text']) not in squeeze(said):
                yield 'the HTML does not say it: %r' % v
            i = v.find('<div>')
            j = v.find('</div>', i) + len('</div>')
            if re.sub(r'\s', '', v[:i] + v[j:]) != re.sub(r'\s', '', u):
                yield 'the HTML was %r and is %r' % (u, v)
        else:
            core, rest = (v[:len(v) - len(u)], v[len(v) - len(u):]) if t['first'] else (v[len(u.rstrip('\r\n')):], v[:len(u.rstrip('\r\n'))])
            if rest.rstrip('\r\n') != u.rstrip('\r\n') or squeeze(core.replace('\ufeff', '')) != squeeze(t['text']):
                yield 'the text was %r and is %r' % (u, v)
            glued = (core if t['first'] else v[len(u.rstrip('\r\n')):])
            if not t['first'] and u.strip('\ufeff') and not glued.startswith(('\n', '\r\n')):
                yield 'it stands on the last line: %r' % v
    if t['outcome'] == 'in the text' and not changed:
        yield 'nothing has changed'

for line in sys.stdin:
    t = json.loads(line)
    for fault in compare(t):
        print('%s: %s' % (t['name'], fault))
