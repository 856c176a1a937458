"""`sealroad demo`: three companies in three countries sign one contract, through a real service, on one machine."""
