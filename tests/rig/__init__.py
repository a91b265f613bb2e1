"""What the tests stand on: a database, a browser, programs that call the console as a customer's would."""
