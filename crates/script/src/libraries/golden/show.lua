-- How the golden files print a value: its type, and for tables the keys with their values, sorted.
local function escape(text)
    return (string.gsub(text, "[^ -\126]", function(byte)
        return string.format("\\x%02x", string.byte(byte))
    end))
end

local function show(value)
    if type(value) == "table" then
        local items = {}
        for key, item in pairs(value) do
            local name = type(key) == "table" and "table" or tostring(key)
            items[#items + 1] = name .. "=" .. (type(item) == "table" and "table" or tostring(item))
        end
        table.sort(items)
        return escape("{" .. table.concat(items, ",") .. "}")
    end
    return escape(type(value) .. ":" .. tostring(value))
end

local function show_all(...)
    local shown = {}
    for i = 1, select("#", ...) do
        shown[i] = show((select(i, ...)))
    end
    return table.concat(shown, ", ")
end
