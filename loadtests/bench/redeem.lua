-- Redeems each ticket once; every thread reads a file of its own.
-- Arguments: folder of the files, "once" or "again" (a server that keeps nothing), mean pause of a connection in ms, how
-- many connections there are.
-- Their first requests wait until all are accepted: libuv takes one connection a turn of the loop, and on a busy server
-- the last of many would wait for seconds, which is no latency of a redemption.
local ACCEPT_MS = 300
local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(arguments)
   local folder, mode, pause, unused = arguments[1], arguments[2], tonumber(arguments[3]), tonumber(arguments[4])
   again = mode == "again"
   heads = {}
   for token in io.lines(folder .. "/tokens") do
      heads[#heads + 1] = "POST /api/v1/tickets/redeem HTTP/1.1\r\nHost: " .. wrk.headers["Host"]
         .. "\r\nAuthorization: Bearer " .. token .. "\r\nContent-Type: application/json\r\nContent-Length: "
   end
   tickets = assert(io.open(folder .. "/tickets-" .. number))
   math.randomseed(number + 1)
   function delay()
      if unused > 0 then
         unused = unused - 1
         return ACCEPT_MS
      end
      return pause > 0 and math.random(0, 2 * pause) or 0
   end
end

function request()
   local line = tickets:read("*l")
   if not line and again then
      tickets:seek("set")
      line = tickets:read("*l")
   end
   if not line then
      -- What the server refuses shows in the count of answers that are no success.
      wrk.thread:stop()
      return "GET /out-of-tickets HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\n\r\n"
   end
   local body = '{"ticket":"' .. string.sub(line, 7) .. '"}'
   return heads[tonumber(string.sub(line, 1, 6))] .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency)
   local errors = summary.errors
   print(string.format('JSON {"answers":%d,"micros":%d,"p50":%d,"p99":%d,"refused":%d,"failed":%d}',
      summary.requests, summary.duration - 1000 * ACCEPT_MS, latency:percentile(50), latency:percentile(99), errors.status,
      errors.connect + errors.read + errors.write + errors.timeout))
end
