-- Replays raw requests: wrk -s load.lua URL -- FILE FIRST. benchmarks/raw_requests.py says what FILE holds. Numbers
-- begin behind FIRST.
-- wrk itself takes the first request, to look at it, and sends the others.
local requests, sent, number = {}, 0
local second, now, earlier

local function read_requests(path)
  local file = assert(io.open(path, "rb"))
  while true do
    local length = file:read(4)
    if not length then break end
    local a, b, c, d = length:byte(1, 4)
    local text = file:read(a + 256 * (b + 256 * (c + 256 * d)))
    local parts, marks = {}, {}
    for plain, mark in text:gmatch("([^\1\2\3]*)([\1\2\3]?)") do
      parts[#parts + 1] = plain
      if mark ~= "" then
        parts[#parts + 1] = mark
        marks[#marks + 1] = #parts
        marks[#marks + 1] = mark:byte()
      end
    end
    requests[#requests + 1] = {parts = parts, marks = marks}
  end
  file:close()
end

function init(arguments)
  read_requests(arguments[1])
  number = tonumber(arguments[2])
  collectgarbage("setpause", 400)  -- the requests are most of the memory, and stay
end

function request()
  local made = requests[sent % #requests + 1]
  sent = sent + 1
  if sent % 16 == 1 and os.time() ~= second then
    second = os.time()
    now, earlier = os.date("!%Y-%m-%dT%H:%M:%S", second), os.date("!%Y-%m-%dT%H:%M:%S", second - 1)
  end
  local parts, marks = made.parts, made.marks
  for i = 1, #marks, 2 do
    local at, kind = marks[i], marks[i + 1]
    if kind == 1 then
      number = number + 1
      parts[at] = string.format("%012d", number)
    else
      parts[at] = kind == 2 and earlier or now
    end
  end
  return table.concat(parts)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "p999": %.3f, "status": %d, "socket": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    latency:percentile(99.9) / 1000, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
