module portquorum.invalid/wide

go 1.24

require (
	github.com/alicebob/miniredis/v2 v2.35.0
)
