-- Every reply at every stage, and every change. The filter does at the stage
-- that the sender names what the sender names: <header.reject@example.com>.

function fail(text)
	mt.echo("error: " .. text)
	error(text, 0)
end

function want(what, problem, reply)
	if problem ~= nil then fail(what .. ": " .. problem) end
	if reply ~= nil and mt.getreply(conn) ~= reply then
		fail(what .. ": reply " .. string.char(mt.getreply(conn)) .. ", want " .. string.char(reply))
	end
end

function begin(host, helo)
	conn = mt.connect(filter)
	if conn == nil then fail("no connection to " .. filter) end
	want("negotiate", mt.negotiate(conn, nil, nil, nil))
end

stages = {"mail", "rcpt", "data", "header", "eoh", "body", "eom"}
say = {
	mail = function(word) return mt.mailfrom(conn, "<" .. word .. "@example.com>", "SIZE=100") end,
	rcpt = function() return mt.rcptto(conn, "<rcpt@example.org>", "NOTIFY=NEVER") end,
	data = function() return mt.data(conn) end,
	header = function() return mt.header(conn, "Subject", "hello") end,
	eoh = function() return mt.eoh(conn) end,
	body = function() return mt.bodystring(conn, "hello\r\n") end,
	eom = function() return mt.eom(conn) end,
}
replies = {
	accept = SMFIR_ACCEPT, reject = SMFIR_REJECT, tempfail = SMFIR_TEMPFAIL, discard = SMFIR_DISCARD, reply = SMFIR_REPLYCODE,
}

-- A message up to a stage, where the answer must be the reply.
function message(stage, verdict)
	for _, at in ipairs(stages) do
		local reply = SMFIR_CONTINUE
		if at == stage then reply = replies[verdict] end
		want(stage .. "." .. verdict .. " at " .. at, say[at](stage .. "." .. verdict), reply)
		if at == stage then break end
	end
	if verdict == "reply" and stage == "eom" and not mt.eom_check(conn, MT_SMTPREPLY, "550", "5.7.1", "100%% no") then
		fail("the words of the reply at " .. stage)
	end
	want("abort", mt.abort(conn))
end

for verdict, reply in pairs(replies) do
	begin()
	want("conninfo", mt.conninfo(conn, "client.example.com", "192.0.2.7"), SMFIR_CONTINUE)
	want("helo", mt.helo(conn, "client.example.com"), SMFIR_CONTINUE)
	for _, stage in ipairs(stages) do message(stage, verdict) end
	mt.disconnect(conn)
	if verdict ~= "discard" then
		begin()
		want("conninfo", mt.conninfo(conn, "connect." .. verdict, "192.0.2.7"), reply)
		mt.disconnect(conn)
		begin()
		want("conninfo", mt.conninfo(conn, "client.example.com", "192.0.2.7"), SMFIR_CONTINUE)
		want("helo", mt.helo(conn, "helo." .. verdict), reply)
		mt.disconnect(conn)
	end
end

-- Macros, an unknown command, a skipped body, two messages, every change.
begin()
want("macro", mt.macro(conn, SMFIC_CONNECT, "j", "mx.example.org"))
want("conninfo", mt.conninfo(conn, "client.example.com", "192.0.2.7"), SMFIR_CONTINUE)
want("helo", mt.helo(conn, "client.example.com"), SMFIR_CONTINUE)
want("unknown", mt.unknown(conn, "XYZZY"), SMFIR_CONTINUE)
for i = 1, 2 do
	want("macro", mt.macro(conn, SMFIC_MAIL, "i", "4F1AB"))
	want("mail", mt.mailfrom(conn, "<changes@example.com>"), SMFIR_CONTINUE)
	want("rcpt", mt.rcptto(conn, "<rcpt@example.org>"), SMFIR_CONTINUE)
	want("data", mt.data(conn), SMFIR_CONTINUE)
	want("header", mt.header(conn, "Subject", "hello"), SMFIR_CONTINUE)
	want("eoh", mt.eoh(conn), SMFIR_CONTINUE)
	want("body", mt.bodyrandom(conn, 200000))
	want("eom", mt.eom(conn), SMFIR_CONTINUE)
	checks = {
		{MT_HDRADD, "X-Added", " added"},
		{MT_HDRINSERT, "X-Macros", " mx.example.org 4F1AB", 0},
		{MT_HDRCHANGE, "Subject", " changed"},
		{MT_HDRDELETE, "Received"},
		{MT_RCPTADD, "<new@example.org>"},
		{MT_RCPTDELETE, "<rcpt@example.org>"},
		{MT_BODYCHANGE, "new body\r\n"},
		{MT_QUARANTINE, "for a look"},
	}
	for n, check in ipairs(checks) do
		if not mt.eom_check(conn, table.unpack(check)) then fail("change " .. n .. " in message " .. i) end
	end
	want("abort", mt.abort(conn))
end
want("mail", mt.mailfrom(conn, "<skip@example.com>"), SMFIR_CONTINUE)
want("rcpt", mt.rcptto(conn, "<rcpt@example.org>"), SMFIR_CONTINUE)
want("body", mt.bodystring(conn, "enough\r\n"), SMFIR_SKIP)
want("eom", mt.eom(conn), SMFIR_CONTINUE)
mt.disconnect(conn)

-- Each version of the protocol.
for version, steps in pairs({[2] = 0x7F, [3] = 0x17F, [4] = 0x37F, [6] = 0x1FFFFF}) do
	conn = mt.connect(filter)
	want("version " .. version, mt.negotiate(conn, version, SMFI_V2_ACTS, steps))
	want("conninfo", mt.conninfo(conn, "client.example.com", "192.0.2.7"), SMFIR_CONTINUE)
	want("helo", mt.helo(conn, "client.example.com"), SMFIR_CONTINUE)
	want("mail", mt.mailfrom(conn, "<eom.reject@example.com>"), SMFIR_CONTINUE)
	want("rcpt", mt.rcptto(conn, "<rcpt@example.org>"), SMFIR_CONTINUE)
	if version >= 4 then want("data", mt.data(conn), SMFIR_CONTINUE) end
	want("header", mt.header(conn, "Subject", "hello"), SMFIR_CONTINUE)
	want("eoh", mt.eoh(conn), SMFIR_CONTINUE)
	want("body", mt.bodystring(conn, "hello\r\n"), SMFIR_CONTINUE)
	want("eom", mt.eom(conn), SMFIR_REJECT)
	mt.disconnect(conn)
end

-- A filter that is left in the middle.
begin()
want("conninfo", mt.conninfo(conn, "client.example.com", "192.0.2.7"), SMFIR_CONTINUE)
want("mail", mt.mailfrom(conn, "<a@example.com>"), SMFIR_CONTINUE)
mt.disconnect(conn, false)
