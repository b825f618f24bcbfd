"""Tables: item models over plain lists, and the small pieces around them."""
