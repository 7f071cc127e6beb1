-- A JSON document of 1 KB, posted.
local items = {}
for at = 1, 16 do
  items[at] = string.format('{"id":%d,"name":"item number %02d","price":%d.5,"ok":true}', 1000 + at, at, at)
end
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = '{"items":[' .. table.concat(items, ",") .. '],"note":"' .. string.rep("n", 44) .. '"}'
