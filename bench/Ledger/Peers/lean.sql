-- What an engineer writes by hand for double entry in SQL, with nothing that could be left out: balances with a floor,
-- entries with the running balance, and a unique key per transfer.
create table account (
    id bigint primary key,
    balance bigint not null,
    floor bigint,
    check (balance >= floor)
) with (fillfactor = 50);

create table transfer (
    id bigint generated always as identity primary key,
    key uuid not null unique,
    payer bigint not null,
    payee bigint not null,
    amount bigint not null check (amount > 0),
    at timestamptz not null default now(),
    check (payer <> payee)
);

create table entry (
    account bigint not null,
    transfer bigint not null,
    amount bigint not null,
    balance bigint not null,
    primary key (account, transfer)
);

-- One transfer. The rows are locked in the order of their ids, by the updates themselves.
create function make_transfer(p_key uuid, p_payer bigint, p_payee bigint, p_amount bigint) returns bigint
language plpgsql as $$
declare
    v_id bigint;
    v_payer bigint;
    v_payee bigint;
begin
    insert into transfer (key, payer, payee, amount) values (p_key, p_payer, p_payee, p_amount)
    on conflict (key) do nothing returning id into v_id;
    if v_id is null then
        return (select id from transfer where key = p_key and payer = p_payer and payee = p_payee and amount = p_amount);
    end if;
    if p_payer < p_payee then
        update account set balance = balance - p_amount where id = p_payer returning balance into strict v_payer;
        update account set balance = balance + p_amount where id = p_payee returning balance into strict v_payee;
    else
        update account set balance = balance + p_amount where id = p_payee returning balance into strict v_payee;
        update account set balance = balance - p_amount where id = p_payer returning balance into strict v_payer;
    end if;
    insert into entry values (p_payer, v_id, -p_amount, v_payer), (p_payee, v_id, p_amount, v_payee);
    return v_id;
end
$$;

-- Many transfers, set-wise: locks in the order of ids, then one statement whose running balances come from a window.
create function make_transfers(p_keys uuid[], p_payers bigint[], p_payees bigint[], p_amounts bigint[]) returns bigint
language plpgsql as $$
declare
    v_made bigint;
begin
    perform 1 from account where id = any (p_payers || p_payees) order by id for update;
    with made as (
        insert into transfer (key, payer, payee, amount)
        select * from unnest(p_keys, p_payers, p_payees, p_amounts)
        on conflict (key) do nothing returning id, payer, payee, amount
    ), moved as (
        select payer as account, id, -amount as amount from made
        union all
        select payee, id, amount from made
    ), written as (
        insert into entry (account, transfer, amount, balance)
        select m.account, m.id, m.amount, a.balance + sum(m.amount) over (partition by m.account order by m.id)
        from moved m join account a on a.id = m.account
    ), changed as (
        update account a set balance = a.balance + s.amount
        from (select account, sum(amount)::bigint as amount from moved group by account) s
        where a.id = s.account
    )
    select count(*) from made into v_made;
    return v_made;
end
$$;
