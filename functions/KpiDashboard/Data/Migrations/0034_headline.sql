-- Which numbers stand on top of a business's overview, in their order: keys with commas between them. Null: the product's choice.
alter table tenants add column headline text check (length(headline) between 1 and 1000);
