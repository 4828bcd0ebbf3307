"""One page per activation. File name, function and string are the same word."""
