-- Posts by superlist-milter, two in a session, and its refusals.

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

conn = mt.connect(filter)
if conn == nil then fail("no connection to " .. filter) end
want("negotiate", mt.negotiate(conn, nil, nil, nil))
if not mt.test_action(conn, SMFIF_DELRCPT) then fail("it does not ask for SMFIF_DELRCPT") end
want("conninfo", mt.conninfo(conn, "client.example.com", "192.0.2.7"))
want("helo", mt.helo(conn, "client.example.com"))
for i = 1, 2 do
	want("mail", mt.mailfrom(conn, "<alice@example.com>"))
	want("an unknown list", mt.rcptto(conn, "<nosuch@lists.example.org>"), SMFIR_REPLYCODE)
	want("a list", mt.rcptto(conn, "<dev@lists.example.org>"), SMFIR_CONTINUE)
	want("somebody else", mt.rcptto(conn, "<zoe@example.com>"), SMFIR_CONTINUE)
	want("data", mt.data(conn), SMFIR_CONTINUE)
	want("header", mt.header(conn, "From", "alice@example.com"))
	want("header", mt.header(conn, "Subject", "post " .. i))
	want("eoh", mt.eoh(conn))
	-- bodyrandom makes lines that are longer than mail may have.
	for _ = 1, 4 do want("body", mt.bodystring(conn, string.rep(string.rep("x", 70) .. "\r\n", 700))) end
	want("eom", mt.eom(conn), SMFIR_CONTINUE)
	if not mt.eom_check(conn, MT_RCPTDELETE, "<dev@lists.example.org>") then fail("the list is not taken off") end
	if mt.eom_check(conn, MT_RCPTDELETE, "<zoe@example.com>") then fail("somebody else is taken off") end
	want("abort", mt.abort(conn))
end
want("mail", mt.mailfrom(conn, "<eve@example.com>"))
want("a list", mt.rcptto(conn, "<dev@lists.example.org>"), SMFIR_CONTINUE)
want("data", mt.data(conn), SMFIR_CONTINUE)
want("header", mt.header(conn, "From", "eve@example.com"))
want("eoh", mt.eoh(conn))
want("a stranger's post", mt.eom(conn), SMFIR_REPLYCODE)
want("mail", mt.mailfrom(conn, "<eve@example.com>"))
want("somebody else", mt.rcptto(conn, "<zoe@example.com>"), SMFIR_CONTINUE)
want("data", mt.data(conn), SMFIR_ACCEPT)
mt.disconnect(conn)
